import { randomUUID } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { openCqlStore } from "../../src/migrate/cql/store.ts";
import { migrateUp } from "../../src/migrate/migrate-up.ts";
import { packageMigrations, readMigrations } from "../../src/migrate/read-migrations.ts";
import { silentObserver, type SchemaStore } from "../../src/migrate/schema-store.ts";
import { openSqlStore } from "../../src/migrate/sql/store.ts";
import type { Config } from "../../src/server/config/config-schema.ts";

/**
 * Stores of a test file's own, with the schema that `msgr migrate up` makes. Use with `realStoreConfig`, whose names are
 * made up anew each time, and drop what was prepared in `afterAll`.
 */
const runner = { name: "test", clock: systemClock };

const openCassandra = async (config: Config): Promise<SchemaStore> =>
  openCqlStore({ settings: config.cassandra, runner, nonce: randomUUID() });

const openPostgres = async (config: Config): Promise<SchemaStore> =>
  openSqlStore({ settings: config.postgres, runner });

async function migrate(store: SchemaStore): Promise<void> {
  try {
    const options = { to: Infinity, timeoutMs: 0, observer: silentObserver, interrupted: new AbortController().signal };
    await migrateUp(store, await readMigrations(packageMigrations, store.kind), options);
  } finally {
    await store.close();
  }
}

async function drop(store: SchemaStore): Promise<void> {
  try {
    await store.drop();
  } finally {
    await store.close();
  }
}

/** Makes the keyspace of `config` and applies every migration of cql/. */
export async function prepareCassandra(config: Config): Promise<void> {
  await migrate(await openCassandra(config));
}

/** Makes the database of `config` and applies every migration of sql/. */
export async function preparePostgres(config: Config): Promise<void> {
  await migrate(await openPostgres(config));
}

export async function dropCassandra(config: Config): Promise<void> {
  await drop(await openCassandra(config));
}

/** Ends the sessions that are still in it. */
export async function dropPostgres(config: Config): Promise<void> {
  await drop(await openPostgres(config));
}
