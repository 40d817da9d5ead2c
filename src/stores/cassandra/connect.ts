import cassandra from "cassandra-driver";
import { systemClock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { StoreError } from "../../base/store-error.ts";
import { cassandraAdminError, explainRefusal } from "./admin-error.ts";
import { contactOptions } from "./contact-options.ts";
import { guardControlConnection } from "./control-connection.ts";
import { createFailureLog } from "./failure-log.ts";
import { LoadGate } from "./load-gate.ts";
import { RetryOnce } from "./retry-policy.ts";
import { schemaGap, type ColumnDescription } from "./schema.ts";
import { DriverSession, type CassandraSession } from "./session.ts";
import { tlsOptions } from "./tls-options.ts";

export interface CassandraOptions {
  /** host:port, separated by commas. */
  readonly contactPoints: string;
  /** The only one that is asked. */
  readonly datacenter: string;
  /** Has to exist, with the tables of cql/. */
  readonly keyspace: string;
  /** In the clear otherwise. */
  readonly tls: boolean;
  /** Empty = no log-in. */
  readonly username: string;
  readonly password: string | undefined;
  /** Statements under way at once, [1, 4 096]. */
  readonly inFlightMax: number;
  /** Statements that may wait for their turn; more are refused as `overloaded`. */
  readonly waitingMax?: number;
  /** Bound on connecting, on each attempt of a statement and on its wait for its turn, [100, 60 000] ms. */
  readonly timeoutMs: number;
}

const waitingMaxDefault = 4_096;
/** Of all that may be under way, so much less may be reads of whole partitions: enough to keep the nodes busy. */
const statementsPerWholeRead = 16;

/** Statements without an answer after which a connection counts as dead; on an idle one a heartbeat finds out. */
const silentStatementsMax = 16;
const heartbeatIntervalMs = 5_000;
const reconnectMsMin = 100;
const reconnectMsMax = 5_000;

/**
 * Opens connections to the nodes of the data centre and keeps them. Errors: StoreError, with nothing left open. Whoever
 * opens a session closes it.
 */
export async function connectCassandra(options: CassandraOptions, log?: Logger): Promise<CassandraSession> {
  const explain = (cause: unknown): StoreError => cassandraAdminError(cause, options);
  const client = new cassandra.Client(clientOptions(options));
  client.on("hostDown", (host: cassandra.Host) => log?.warn({ node: host.address }, "A Cassandra node is down"));
  client.on("hostUp", (host: cassandra.Host) => log?.info({ node: host.address }, "A Cassandra node is up"));
  guardControlConnection(client, (err) => log?.warn({ err }, "Looking for the nodes of Cassandra again"));
  try {
    await client.connect();
    await checkSchema(client, options.keyspace);
  } catch (cause) {
    await client.shutdown().catch(() => undefined);
    throw await explainRefusal(explain(cause), options);
  }
  const { inFlightMax, waitingMax = waitingMaxDefault, timeoutMs } = options;
  const bounds = { waitingMax, waitMsMax: timeoutMs, clock: systemClock };
  const gates = {
    statements: new LoadGate({ ...bounds, inFlightMax }),
    wholeReads: new LoadGate({ ...bounds, inFlightMax: Math.ceil(inFlightMax / statementsPerWholeRead) }),
  };
  return new DriverSession(client, options.keyspace, gates, createFailureLog(systemClock, log, explain));
}

function clientOptions(options: CassandraOptions): cassandra.DseClientOptions {
  const { contactPoints, datacenter, keyspace, tls, username, password, timeoutMs } = options;
  const { policies, types } = cassandra;
  return {
    ...contactOptions(contactPoints),
    localDataCenter: datacenter,
    keyspace,
    ...(tls ? { sslOptions: tlsOptions(contactPoints) } : {}),
    ...(username === "" ? {} : { credentials: { username, password: password ?? "" } }),
    policies: {
      // Replicas of the partition first, of this data centre only.
      loadBalancing: new policies.loadBalancing.DefaultLoadBalancingPolicy({ localDc: datacenter }),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(reconnectMsMin, reconnectMsMax, true),
      retry: new RetryOnce(),
      speculativeExecution: new policies.speculativeExecution.NoSpeculativeExecutionPolicy(),
    },
    pooling: { coreConnectionsPerHost: { [types.distance.local]: 1 }, heartBeatInterval: heartbeatIntervalMs },
    socketOptions: {
      connectTimeout: timeoutMs,
      readTimeout: timeoutMs,
      defunctReadTimeoutThreshold: silentStatementsMax,
    },
    // Ids become text as they are read, and envelopes are gone with their frame: no copies.
    encoding: { copyBuffer: false },
    monitorReporting: { enabled: false },
  };
}

async function checkSchema(client: cassandra.Client, keyspace: string): Promise<void> {
  const query = "SELECT table_name, column_name, type FROM system_schema.columns WHERE keyspace_name = ?";
  const { rows } = await client.execute(query, [keyspace], { prepare: true });
  const gap = schemaGap(rows as unknown as readonly ColumnDescription[]);
  if (gap === undefined) return;
  throw new StoreError(
    "cassandra",
    "missing_database",
    `Keyspace ${keyspace} is not what this version works on: ${gap}.`,
    "`msgr migrate up --only cql` completes it.",
  );
}
