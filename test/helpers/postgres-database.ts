import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import type { PostgresOptions } from "../../src/stores/postgres/connect.ts";
import { realStoreConfig } from "./real-stores.ts";

const sqlDirectory = path.join(import.meta.dirname, "../../sql");

/** A database of its own on the real server, with every table and no row. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** How an adapter connects to it. */
  readonly options: PostgresOptions;
  /** As the owner, beside the adapter under test: for planting faults. */
  readonly admin: pg.Client;
  /** Takes every row out. */
  empty(): Promise<void>;
}

/** Creates the database; disposing of it ends who is still connected. `schema: false` leaves it without tables. */
export async function createTestDatabase({ schema = true } = {}): Promise<TestDatabase> {
  const { url, password } = realStoreConfig().postgres;
  const name = new URL(url).pathname.slice(1);
  await onServer(url, password, `CREATE DATABASE ${name}`);
  const admin = new pg.Client({ connectionString: withPassword(url, password) });
  await admin.connect();
  if (schema) await applySchema(admin);
  return {
    name,
    options: { url, password, connectionsMax: 10, timeoutMs: 5_000 },
    admin,
    async empty() {
      const { rows } = await admin.query<{ name: string }>(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
      );
      await admin.query(`TRUNCATE ${rows.map((row) => row.name).join(", ")}`);
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await onServer(url, password, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function applySchema(admin: pg.Client): Promise<void> {
  const files = (await readdir(sqlDirectory)).filter((file) => file.endsWith(".sql")).toSorted();
  for (const file of files) {
    const [text = ""] = (await readFile(path.join(sqlDirectory, file), "utf8")).split(/^-- verify$/m);
    await admin.query(text);
  }
}

/** Runs one statement in the database that every server has. */
async function onServer(url: string, password: string | undefined, text: string): Promise<void> {
  const address = new URL(withPassword(url, password));
  address.pathname = "/postgres";
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function withPassword(url: string, password: string | undefined): string {
  const address = new URL(url);
  if (password !== undefined) address.password = encodeURIComponent(password);
  return address.href;
}
