import pg from "pg";
import { StoreError } from "../../base/store-error.ts";
import { postgresAdminError } from "./admin-error.ts";
import { fixes } from "./failure-kinds.ts";
import { parsePostgresUrl } from "./postgres-address.ts";

export interface PostgresAdminOptions {
  /** `postgres://user@host:port/database`, without a password. */
  readonly url: string;
  readonly password: string | undefined;
  /** Instead of the database that `url` names. */
  readonly database?: string;
  /** Shown in pg_stat_activity to whoever asks who holds a lock; at most 63 bytes are kept. */
  readonly applicationName: string;
  /** Bound on connecting, [100, 60 000] ms. Statements are bounded by `statement_timeout`. */
  readonly timeoutMs: number;
}

export type PostgresRow = Readonly<Record<string, unknown>>;

/** One session of PostgreSQL, never shared and never reconnected: what holds a session lock has to notice its end. */
export interface PostgresAdmin {
  readonly database: string;
  /** Aborted when the session ends without `close`; `reason` is the StoreError. */
  readonly lost: AbortSignal;
  /** Runs one statement. Throws StoreError; its `cause` is the driver's error, with SQLSTATE and position. */
  query(sql: string, params?: readonly unknown[]): Promise<readonly PostgresRow[]>;
  /** Twice does no harm. */
  close(): Promise<void>;
}

/** The oldest major version that the SQL of this project was written for. */
const majorVersionMin = 16;

/** Throws StoreError: unreachable, wrong_password, missing_database, wrong_version. */
export async function connectPostgresAdmin(options: PostgresAdminOptions): Promise<PostgresAdmin> {
  const url = new URL(options.url);
  if (options.database !== undefined) url.pathname = `/${encodeURIComponent(options.database)}`;
  const withPassword = new URL(url);
  withPassword.searchParams.delete("sslmode");
  // The driver takes what the address says, also when that is nothing, over an option.
  if (options.password !== undefined) withPassword.password = encodeURIComponent(options.password);
  const client = new pg.Client({
    connectionString: withPassword.href,
    ssl: sslOf(url),
    application_name: options.applicationName,
    connectionTimeoutMillis: options.timeoutMs,
    keepAlive: true,
    // A host that vanished without a word is noticed while a long statement is waited for, not after the system's two hours.
    keepAliveInitialDelayMillis: 10_000,
  });
  const lost = new AbortController();
  let isClosed = false;
  client.on("error", (cause) => lost.abort(postgresAdminError(cause, url)));
  client.on("end", () => {
    if (!isClosed) lost.abort(postgresAdminError(new Error("Connection terminated"), url));
  });
  const admin: PostgresAdmin = {
    database: decodeURIComponent(url.pathname.slice(1)),
    lost: lost.signal,
    async query(sql, params) {
      try {
        const { rows } = await client.query<PostgresRow>(sql, params === undefined ? undefined : [...params]);
        return rows;
      } catch (cause) {
        throw postgresAdminError(cause, url);
      }
    },
    async close() {
      isClosed = true;
      await client.end().catch(() => undefined);
    },
  };
  try {
    await client.connect();
  } catch (cause) {
    await admin.close();
    throw postgresAdminError(cause, url);
  }
  await refuseOldVersion(admin);
  return admin;
}

/** As servers read it, and not as the driver would. */
function sslOf(url: URL): pg.ClientConfig["ssl"] {
  try {
    const { ssl } = parsePostgresUrl(url.href);
    return typeof ssl === "boolean" ? ssl : { ...ssl };
  } catch (cause) {
    throw postgresAdminError(cause, url);
  }
}

async function refuseOldVersion(admin: PostgresAdmin): Promise<void> {
  const [row] = await admin.query("SHOW server_version_num");
  const major = Math.floor(Number(row?.["server_version_num"]) / 10_000);
  if (major >= majorVersionMin) return;
  await admin.close();
  throw new StoreError(
    "postgres",
    "wrong_version",
    `This is PostgreSQL ${major}; ${majorVersionMin} or later is needed.`,
    fixes.wrong_version,
  );
}
