import pg from "pg";
import type { PostgresOptions } from "../../src/stores/postgres/connect.ts";
import { dropPostgres, preparePostgres } from "./migrated-stores.ts";
import { realStoreConfig } from "./real-stores.ts";

/** A database of its own on the real server, with the schema that `msgr migrate up` makes and no row. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** How an adapter connects to it. */
  readonly options: PostgresOptions;
  /** As the owner, beside the adapter under test: for planting faults. */
  readonly admin: pg.Client;
  /** Takes every row out of the tables of the adapters. */
  empty(): Promise<void>;
}

/** Creates the database; disposing of it ends who is still connected. `schema: false` leaves it without tables. */
export async function createTestDatabase({ schema = true } = {}): Promise<TestDatabase> {
  const config = realStoreConfig();
  const { url, password } = config.postgres;
  await preparePostgres(config);
  const address = new URL(url);
  if (password !== undefined) address.password = encodeURIComponent(password);
  const admin = new pg.Client({ connectionString: address.href });
  await admin.connect();
  if (!schema) await admin.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  const { rows } = await admin.query<{ name: string }>(
    "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'",
  );
  const tables = rows.map((row) => row.name);
  return {
    name: address.pathname.slice(1),
    // The time-out is there to end what hangs: a test that waits for one sets its own.
    options: { url, password, connectionsMax: 10, timeoutMs: 20_000 },
    admin,
    async empty() {
      await admin.query(`TRUNCATE ${tables.join(", ")}`);
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await dropPostgres(config);
    },
  };
}
