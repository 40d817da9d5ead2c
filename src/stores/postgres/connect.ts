import pg from "pg";
import { systemClock, type Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { checkDatabase } from "./check-database.ts";
import { postgresError, translateError } from "./errors.ts";
import { parsePostgresUrl } from "./postgres-address.ts";
import { Pool } from "./pool.ts";
import type { Postgres } from "./postgres.ts";
import { typeParsers } from "./type-parsers.ts";

export interface PostgresOptions {
  readonly url: string;
  /** undefined = none is asked for. */
  readonly password: string | undefined;
  readonly connectionsMax: number;
  /** A statement, a connection, or a turn at a connection that takes longer is given up. */
  readonly timeoutMs: number;
}

/** How much later than the server this side gives up: the server's own time-out says more and keeps the connection. */
const clientMarginMs = 500;
const noPassword = "none was configured";
const idleConnectionMs = 60_000;
const keepAliveAfterMs = 10_000;

/**
 * Connects to a database that has the tables of this version. Rejects with a StoreError that says what is wrong with the
 * database or the way to it.
 */
export async function connectPostgres(
  options: PostgresOptions,
  log?: Logger,
  clock: Clock = systemClock,
): Promise<Postgres> {
  const driverPool = new pg.Pool(driverOptions(options));
  const pool = new Pool(driverPool, options.connectionsMax, clock, log);
  try {
    await checkDatabase(driverPool);
  } catch (error) {
    await pool.close();
    throw translateError(error);
  }
  return pool;
}

function driverOptions({ url, password, connectionsMax, timeoutMs }: PostgresOptions): pg.PoolConfig {
  const { ssl, ...address } = parseAddress(url);
  return {
    ...address,
    ssl: typeof ssl === "boolean" ? ssl : { ...ssl },
    // A function, so that the driver neither prints the password nor looks for one elsewhere. Never empty: a server that
    // asks for one by SCRAM would make the driver give up in the middle of the log-in and leave the connection open,
    // and a DROP DATABASE on that server waits for it.
    password: () => (password === undefined || password === "" ? noPassword : password),
    application_name: "msgr",
    max: connectionsMax,
    // BEGIN travels together with the first statement.
    pipeline: true,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + clientMarginMs,
    // Locks of a process that vanished without closing its connections.
    idle_in_transaction_session_timeout: 2 * timeoutMs,
    idleTimeoutMillis: idleConnectionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    types: typeParsers,
  };
}

function parseAddress(url: string): ReturnType<typeof parsePostgresUrl> {
  try {
    return parsePostgresUrl(url);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "";
    throw postgresError("other", `postgres.url cannot be used: ${detail}.`, error);
  }
}
