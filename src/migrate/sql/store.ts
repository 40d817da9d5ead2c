import { StoreError } from "../../base/store-error.ts";
import { sqlStateOf } from "../../stores/postgres/admin-error.ts";
import { connectPostgresAdmin, type PostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { MigrateError } from "../migrate-error.ts";
import type { SchemaStore } from "../schema-store.ts";
import type { MigrateSettings, Runner } from "../settings.ts";
import { applySql, verifySql } from "./apply.ts";
import { describeDatabase } from "./describe-database.ts";
import { adoptMigration, hasSqlJournal, journalTableNames, journalTables, readSqlJournal } from "./journal.ts";
import { acquireSqlLock, breakSqlLock, readSqlHolder } from "./lock.ts";

export interface SqlStoreOptions {
  readonly settings: MigrateSettings["postgres"];
  readonly runner: Runner;
  /** Tests stand between the runner and the store here. */
  readonly connect?: typeof connectPostgresAdmin;
}

/** Throws StoreError when the server does not answer. The database need not exist. */
export async function openSqlStore(options: SqlStoreOptions): Promise<SchemaStore> {
  const { settings, runner } = options;
  const url = new URL(settings.url);
  const database = decodeURIComponent(url.pathname.slice(1));
  const connect = async (name: string): Promise<PostgresAdmin> =>
    (options.connect ?? connectPostgresAdmin)({
      url: settings.url,
      password: settings.password,
      database: name,
      applicationName: `msgr migrate ${runner.name}`,
      timeoutMs: settings.timeout_ms,
    });
  let admin = await connectOrMissing(database, connect);
  const there = (): PostgresAdmin => {
    if (admin !== undefined) return admin;
    throw new MigrateError("usage", `Database ${database} does not exist.`, "`msgr migrate up --only sql` makes it.");
  };
  const hasJournal = async (): Promise<boolean> => admin !== undefined && hasSqlJournal(admin);

  return {
    kind: "sql",
    place: `database ${database} on ${url.host}`,
    readJournal: async () => ((await hasJournal()) ? readSqlJournal(there()) : []),
    readHolder: async () => (admin === undefined ? undefined : readSqlHolder(admin)),
    async prepare() {
      if (admin === undefined) {
        await createDatabase(database, connect);
        admin = await connect(database);
        // A runner that is gone must not hold the lock until its last statement ends.
        await admin.query("SET client_connection_check_interval = '2s'").catch(() => undefined);
      }
      if (await hasJournal()) return;
      for (const table of journalTables) await orAlreadyThere(there().query(table));
    },
    acquire: async (acquire) => acquireSqlLock(there(), acquire, runner),
    apply: async (migration, begun, apply) => applySql(there(), runner, migration, begun, apply),
    verify: async (migration) => verifySql(there(), migration),
    adopt: async (migration) => adoptMigration(there(), migration, runner.name, new Date(runner.clock.nowMs())),
    breakLock: async (id) => admin !== undefined && breakSqlLock(admin, id),
    describeSchema: async () => describeDatabase(there(), journalTableNames),
    namesBeside: async () =>
      (await there().query("SELECT datname FROM pg_database")).map((row) => String(row["datname"])),
    async drop() {
      await admin?.close();
      await inMaintenanceDatabase(connect, async (session) => {
        await session.query(`DROP DATABASE IF EXISTS ${quoted(database)} WITH (FORCE)`);
      });
    },
    close: async () => admin?.close(),
  };
}

async function connectOrMissing(
  database: string,
  connect: (name: string) => Promise<PostgresAdmin>,
): Promise<PostgresAdmin | undefined> {
  try {
    const admin = await connect(database);
    await admin.query("SET client_connection_check_interval = '2s'").catch(() => undefined);
    return admin;
  } catch (error) {
    if (error instanceof StoreError && error.kind === "missing_database") return undefined;
    throw error;
  }
}

/** UTF-8 whatever the server's default is; from template0, which nobody can be connected to. */
async function createDatabase(database: string, connect: (name: string) => Promise<PostgresAdmin>): Promise<void> {
  await inMaintenanceDatabase(connect, async (session) => {
    await orAlreadyThere(session.query(`CREATE DATABASE ${quoted(database)} TEMPLATE template0 ENCODING 'UTF8'`));
  });
}

async function inMaintenanceDatabase(
  connect: (name: string) => Promise<PostgresAdmin>,
  work: (session: PostgresAdmin) => Promise<void>,
): Promise<void> {
  const session = await connect("postgres");
  try {
    await work(session);
  } finally {
    await session.close();
  }
}

/** Two runners that make the same thing at once: PostgreSQL lets one do it, and refuses the other in one of these ways. */
const alreadyThere: ReadonlySet<string> = new Set(["42P04", "42P07", "42710", "23505"]);

async function orAlreadyThere(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!alreadyThere.has(sqlStateOf(error) ?? "")) throw error;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
