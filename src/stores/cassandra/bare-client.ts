import cassandra from "cassandra-driver";
import type { Cell } from "./cells.ts";
import type { CassandraOptions } from "./connect.ts";
import { contactOptions } from "./contact-options.ts";
import { tlsOptions } from "./tls-options.ts";

/**
 * The driver as it comes, without anything of ours: what the bench measures the adapter against. No bound on statements
 * under way, no retries of our own, the driver's errors. Not for servers.
 */
export interface BareCassandra {
  /** A read, or one idempotent write, at LOCAL_QUORUM. */
  execute(query: string, params: readonly Cell[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** An unlogged batch with a condition; answers its row. */
  batchIf(
    statements: readonly { readonly query: string; readonly params: readonly Cell[] }[],
  ): Promise<Readonly<Record<string, unknown>> | undefined>;
  close(): Promise<void>;
}

const { consistencies } = cassandra.types;
const plain = { prepare: true, consistency: consistencies.localQuorum, isIdempotent: true };
const conditional = {
  prepare: true,
  logged: false,
  consistency: consistencies.localQuorum,
  serialConsistency: consistencies.localSerial,
};

/** Rejects with the driver's error. */
export async function connectBareCassandra(options: CassandraOptions): Promise<BareCassandra> {
  const { contactPoints, datacenter, keyspace, tls, username, password, timeoutMs } = options;
  const client = new cassandra.Client({
    ...contactOptions(contactPoints),
    localDataCenter: datacenter,
    keyspace,
    ...(tls ? { sslOptions: tlsOptions(contactPoints) } : {}),
    ...(username === "" ? {} : { credentials: { username, password: password ?? "" } }),
    socketOptions: { readTimeout: timeoutMs },
  });
  await client.connect();
  return {
    execute: async (query, params) => (await client.execute(query, params as Cell[], plain)).rows,
    async batchIf(statements) {
      const { rows } = await client.batch(statements as { query: string; params: Cell[] }[], conditional);
      return rows[0];
    },
    close: () => client.shutdown(),
  };
}
