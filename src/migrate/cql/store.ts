import { StoreError } from "../../base/store-error.ts";
import { connectCassandraAdmin, type CassandraAdmin } from "../../stores/cassandra/connect-admin.ts";
import type { SchemaLock, SchemaStore } from "../schema-store.ts";
import { migrateLimits, type MigrateSettings, type Runner } from "../settings.ts";
import { pause } from "../pause.ts";
import { awaitAgreement } from "./agreement.ts";
import { applyCql, verifyCql } from "./apply.ts";
import { describeKeyspace } from "./describe-keyspace.ts";
import { createCqlJournal, journalTableNames, journalTables, readCqlJournal, retried } from "./journal.ts";
import { acquireCqlLock, breakCqlLock, readCqlHolder, type CqlLock } from "./lock.ts";

export interface CqlStoreOptions {
  readonly settings: MigrateSettings["cassandra"];
  readonly runner: Runner;
  /** Unguessable enough that two runs never share one. */
  readonly nonce: string;
  readonly lockTtlMs?: number;
  /** Tests stand between the runner and the store here. */
  readonly connect?: typeof connectCassandraAdmin;
}

/** Throws StoreError when no node answers. The keyspace need not exist. */
export async function openCqlStore(options: CqlStoreOptions): Promise<SchemaStore> {
  const { settings, runner } = options;
  const connect = async (keyspace?: string): Promise<CassandraAdmin> =>
    (options.connect ?? connectCassandraAdmin)({
      contactPoints: settings.contact_points,
      datacenter: settings.datacenter,
      tls: settings.tls,
      username: settings.username,
      password: settings.password,
      timeoutMs: settings.timeout_ms,
      statementTimeoutMs: migrateLimits.statementTimeoutMs,
      ...(keyspace === undefined ? {} : { keyspace }),
    });
  let acquisitions = 0;
  const connection = await connectTo(settings.keyspace, connect);
  const journalOf = (lock: SchemaLock) => createCqlJournal(connection.admin(), runner.name, (lock as CqlLock).fence);

  return {
    kind: "cql",
    place: `keyspace ${settings.keyspace} on ${settings.contact_points}`,
    readJournal: async () => ((await connection.hasJournal()) ? readCqlJournal(connection.admin()) : []),
    readHolder: async () => ((await connection.hasJournal()) ? readCqlHolder(connection.admin()) : undefined),
    async prepare() {
      const agreed = (asked?: Pick<CassandraAdmin, "schemaAgrees">): Promise<void> =>
        awaitAgreement(asked ?? connection.admin(), runner.clock, () =>
          pause(runner.clock, migrateLimits.pollIntervalMs),
        );
      await connection.makeKeyspace(settings, agreed);
      if (await connection.hasJournal()) {
        await agreed({ schemaAgrees: async () => knowsJournal(connection.admin()) });
        return;
      }
      for (const table of journalTables) {
        await retried(async () => connection.admin().execute(table));
        await agreed();
      }
    },
    acquire: async (acquire) =>
      acquireCqlLock(connection.admin(), {
        ...acquire,
        runner,
        nonce: `${options.nonce}.${++acquisitions}`,
        ttlMs: options.lockTtlMs ?? migrateLimits.lockTtlMs,
      }),
    apply: async (migration, begun, apply) =>
      applyCql({ admin: connection.admin(), journal: journalOf(apply.lock), runner }, migration, begun, apply),
    verify: async (migration) => verifyCql(connection.admin(), migration),
    adopt: async (migration, lock) => journalOf(lock).adopt(migration, new Date(runner.clock.nowMs())),
    breakLock: async (id) => (await connection.hasJournal()) && breakCqlLock(connection.admin(), id),
    describeSchema: async () => describeKeyspace(connection.admin(), settings.keyspace, journalTableNames),
    async namesBeside() {
      const rows = await connection.admin().execute("SELECT keyspace_name FROM system_schema.keyspaces");
      return rows.map((row) => String(row["keyspace_name"]));
    },
    drop: async () => void (await connection.admin().execute(`DROP KEYSPACE IF EXISTS ${settings.keyspace}`)),
    close: async () => connection.admin().close(),
  };
}

/** Tables that another runner is making are in the list of tables a moment before a statement may name them; this is the last. */
async function knowsJournal(admin: CassandraAdmin): Promise<boolean> {
  try {
    await admin.execute("SELECT name FROM msgr_migration_lock LIMIT 1");
    return true;
  } catch (error) {
    if (error instanceof StoreError && /does not exist|unconfigured table/.test(error.message)) return false;
    throw error;
  }
}

/** A session in the keyspace, or beside it as long as it does not exist. */
async function connectTo(keyspace: string, connect: (keyspace?: string) => Promise<CassandraAdmin>) {
  let admin = await connect(keyspace).catch(async (error: unknown) => {
    if (error instanceof StoreError && error.kind === "missing_database") return connect();
    throw error;
  });
  return {
    admin: (): CassandraAdmin => admin,
    async hasJournal(): Promise<boolean> {
      if (admin.keyspace === undefined) return false;
      const tables = await admin.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", [
        keyspace,
      ]);
      const names = new Set(tables.map((row) => row["table_name"]));
      return [...journalTableNames].every((name) => names.has(name));
    },
    async makeKeyspace(
      { datacenter, replication_factor: copies }: MigrateSettings["cassandra"],
      agreed: (asked?: Pick<CassandraAdmin, "schemaAgrees">) => Promise<void>,
    ): Promise<void> {
      if (admin.keyspace !== undefined) return;
      await agreed();
      // Letters, digits and _ only, by the configuration's schema; a data centre may be called anything.
      const replication = `{'class': 'NetworkTopologyStrategy', '${datacenter.replaceAll("'", "''")}': ${copies}}`;
      await retried(async () =>
        admin.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${replication}`),
      );
      // The next connection may be to another node; one that began a moment ago may not be known to the first yet.
      await agreed();
      const outside = admin;
      await agreed({
        async schemaAgrees() {
          const inside = await connect(keyspace).catch((error: unknown) => {
            if (error instanceof StoreError && error.kind === "missing_database") return undefined;
            throw error;
          });
          if (inside !== undefined) admin = inside;
          return inside !== undefined;
        },
      });
      await outside.close();
    },
  };
}
