import { checkStop } from "./check-stop.ts";
import { compareWithJournal, isToDo, refuseForeign, type MigrationStatus } from "./compare.ts";
import type { Migration } from "./migration.ts";
import type { AcquireOptions, SchemaStore } from "./schema-store.ts";

export interface UpOptions extends AcquireOptions {
  /** The last version to apply. */
  readonly to: number;
}

/**
 * Applies what a store lacks, in order, under its lock. Answers what was applied. Twice does no harm; killed in the middle,
 * the next run completes it. Throws StoreError and MigrateError; whatever was done until then stays done.
 */
export async function migrateUp(
  store: SchemaStore,
  migrations: readonly Migration[],
  options: UpOptions,
): Promise<readonly MigrationStatus[]> {
  const before = compareWithJournal(store.kind, migrations, await store.readJournal());
  refuseForeign(before);
  if (!before.some((status) => isDue(status, options.to))) return [];
  await store.prepare();
  const lock = await store.acquire(options);
  try {
    // Another runner may have been at work while this one waited.
    const statuses = compareWithJournal(store.kind, migrations, await store.readJournal());
    refuseForeign(statuses);
    const due = statuses.filter((status) => isDue(status, options.to));
    for (const { migration, entry } of due) {
      checkStop({ lock, interrupted: options.interrupted });
      if (migration !== undefined) await store.apply(migration, entry, { lock, ...options });
    }
    return due;
  } finally {
    await lock.release();
  }
}

export function isDue(status: MigrationStatus, to: number): boolean {
  return isToDo(status) && status.version <= to;
}
