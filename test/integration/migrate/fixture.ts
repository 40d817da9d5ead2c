import { randomUUID } from "node:crypto";
import { systemClock } from "../../../src/base/clock.ts";
import { openCqlStore, type CqlStoreOptions } from "../../../src/migrate/cql/store.ts";
import { migrateUp, type UpOptions } from "../../../src/migrate/migrate-up.ts";
import { readMigrations } from "../../../src/migrate/read-migrations.ts";
import { silentObserver, type SchemaStore } from "../../../src/migrate/schema-store.ts";
import { openSqlStore, type SqlStoreOptions } from "../../../src/migrate/sql/store.ts";
import type { Config } from "../../../src/server/config/config-schema.ts";
import type { MigrationFolder } from "../../helpers/migration-folder.ts";

export const upDefaults: UpOptions = {
  to: Infinity,
  timeoutMs: 20_000,
  observer: silentObserver,
  interrupted: new AbortController().signal,
};

/** A runner of its own: opens the store, brings it up, closes it. Answers the names that it applied. */
export async function runUp(
  open: () => Promise<SchemaStore>,
  folder: MigrationFolder,
  options: Partial<UpOptions> = {},
): Promise<readonly string[]> {
  const store = await open();
  try {
    const migrations = await readMigrations(folder.path, store.kind);
    const done = await migrateUp(store, migrations, { ...upDefaults, ...options });
    return done.map(({ name }) => name);
  } finally {
    await store.close();
  }
}

export async function usingStore<T>(
  open: () => Promise<SchemaStore>,
  work: (store: SchemaStore) => Promise<T>,
): Promise<T> {
  const store = await open();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export const openCql = async (config: Config, more: Partial<CqlStoreOptions> = {}): Promise<SchemaStore> =>
  openCqlStore({
    settings: config.cassandra,
    runner: { name: "test@here/1", clock: systemClock },
    nonce: randomUUID(),
    ...more,
  });

export const openSql = async (config: Config, more: Partial<SqlStoreOptions> = {}): Promise<SchemaStore> =>
  openSqlStore({ settings: config.postgres, runner: { name: "test@here/1", clock: systemClock }, ...more });

/** What stands for SIGKILL inside one process: from the `after`-th request on, nothing reaches the store any more. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export interface Guillotine {
  /** Requests that went through. */
  count: number;
  readonly wrap: <T>(request: () => Promise<T>) => Promise<T>;
}

/** `answered` = the last request is still done by the store, but its answer never arrives. */
export function guillotine(after: number, answered: boolean): Guillotine {
  const state: Guillotine = {
    count: 0,
    async wrap(request) {
      if (state.count >= after) throw new Killed();
      state.count += 1;
      const answer = await request();
      if (answered && state.count >= after) throw new Killed();
      return answer;
    },
  };
  return state;
}
