import { randomUUID } from "node:crypto";
import { systemClock } from "../base/clock.ts";
import { compareWithJournal, isToDo } from "./compare.ts";
import { schemaKinds } from "./migration.ts";
import { openStores } from "./open-stores.ts";
import { packageMigrations, readMigrations } from "./read-migrations.ts";
import type { MigrateSettings } from "./settings.ts";

export interface PendingMigrations {
  /** Names of what is to be applied, `0002_receipts`. */
  readonly cql: readonly string[];
  readonly sql: readonly string[];
  /** `cql/0009_later`: what the stores have and this version does not know. */
  readonly newer: readonly string[];
}

/** For `serve` and `doctor`: reads both journals and changes nothing. Throws StoreError, and MigrateError bad_file. */
export async function pendingMigrations(config: MigrateSettings): Promise<PendingMigrations> {
  const runner = { name: "status", clock: systemClock };
  const stores = await openStores({ settings: config, runner, nonce: randomUUID(), kinds: schemaKinds });
  try {
    const found = { cql: [] as string[], sql: [] as string[], newer: [] as string[] };
    for (const store of stores) {
      const { kind } = store;
      const migrations = await readMigrations(packageMigrations, kind);
      for (const status of compareWithJournal(kind, migrations, await store.readJournal())) {
        if (isToDo(status)) found[kind].push(status.name);
        if (status.state === "newer") found.newer.push(`${kind}/${status.name}`);
      }
    }
    return found;
  } finally {
    await Promise.all(stores.map(async (store) => store.close()));
  }
}
