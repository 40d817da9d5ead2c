import { openCqlStore } from "./cql/store.ts";
import type { SchemaKind } from "./migration.ts";
import type { SchemaStore } from "./schema-store.ts";
import type { MigrateSettings, Runner } from "./settings.ts";
import { openSqlStore } from "./sql/store.ts";

export interface StoreChoice {
  readonly settings: MigrateSettings;
  readonly runner: Runner;
  /** Unguessable enough that two runs never share one. */
  readonly nonce: string;
  readonly kinds: readonly SchemaKind[];
}

/** The stores of the kinds asked for, in their order; all or none. Throws StoreError. */
export async function openStores({ settings, runner, nonce, kinds }: StoreChoice): Promise<readonly SchemaStore[]> {
  const results = await Promise.allSettled(
    kinds.map(async (kind) =>
      kind === "cql"
        ? openCqlStore({ settings: settings.cassandra, runner, nonce })
        : openSqlStore({ settings: settings.postgres, runner }),
    ),
  );
  const stores = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return stores;
  await Promise.all(stores.map(async (store) => store.close()));
  throw failed.reason;
}
