import { compareWithJournal, fileOf } from "./compare.ts";
import { MigrateError } from "./migrate-error.ts";
import type { Migration } from "./migration.ts";
import type { AcquireOptions, SchemaStore } from "./schema-store.ts";
import { textDiff } from "./text-diff.ts";

/** An applied migration whose file was changed since. */
export interface ChangedMigration {
  readonly migration: Migration;
  readonly appliedAt: Date;
  readonly appliedBy: string;
  readonly diff: string;
}

/** What `repair` could take over. What was begun and not finished is not among it: its file has to be put back. */
export async function changedMigrations(
  store: SchemaStore,
  migrations: readonly Migration[],
): Promise<readonly ChangedMigration[]> {
  return compareWithJournal(store.kind, migrations, await store.readJournal()).flatMap(
    ({ state, migration, entry }) => {
      if (state !== "changed" || migration === undefined || entry?.finishedAt === undefined) return [];
      const diff = textDiff(entry.text, migration.text);
      return [{ migration, appliedAt: entry.finishedAt, appliedBy: entry.runner, diff }];
    },
  );
}

/** Takes the file of a version for what was applied; the schema is not touched. Throws MigrateError usage, locked. */
export async function repair(
  store: SchemaStore,
  migrations: readonly Migration[],
  version: number,
  options: AcquireOptions,
): Promise<void> {
  const lock = await store.acquire(options);
  try {
    const changed = await changedMigrations(store, migrations);
    const wanted = changed.find(({ migration }) => migration.version === version);
    if (wanted === undefined) {
      const known = changed.map(({ migration }) => fileOf(migration)).join(", ");
      const fix = known === "" ? "No applied file has changed." : `These have: ${known}.`;
      throw new MigrateError("usage", `Migration ${version} of ${store.place} needs no repair.`, fix);
    }
    await store.adopt(wanted.migration, lock);
  } finally {
    await lock.release();
  }
}
