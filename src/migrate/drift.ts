import { compareWithJournal, refuseForeign } from "./compare.ts";
import { migrateUp, type UpOptions } from "./migrate-up.ts";
import type { Migration } from "./migration.ts";
import { openCqlStore } from "./cql/store.ts";
import type { StoreChoice } from "./open-stores.ts";
import type { SchemaStore } from "./schema-store.ts";
import { openSqlStore } from "./sql/store.ts";

/** An object that is not what the migrations make. */
export interface Drift {
  /** `column messages.seq`. */
  readonly object: string;
  /** undefined = only the other one has it. */
  readonly live: string | undefined;
  readonly replayed: string | undefined;
}

/**
 * Compares the live schema with what its applied migrations make anew in a shadow keyspace or database, which is dropped
 * again. Throws StoreError and MigrateError.
 */
export async function findDrift(
  live: SchemaStore,
  migrations: readonly Migration[],
  choice: Omit<StoreChoice, "kinds">,
  options: Omit<UpOptions, "to">,
): Promise<readonly Drift[]> {
  const statuses = compareWithJournal(live.kind, migrations, await live.readJournal());
  refuseForeign(statuses);
  const to = statuses.filter(({ state }) => state === "applied").length;
  if (to === 0) return [];
  const shadow = await openShadow(live, choice);
  try {
    await migrateUp(shadow, migrations, { ...options, to });
    return differences(await live.describeSchema(), await shadow.describeSchema());
  } finally {
    await shadow.drop();
    await shadow.close();
  }
}

const nameLengthMax = 30;

async function openShadow(
  live: SchemaStore,
  { settings, runner, nonce }: Omit<StoreChoice, "kinds">,
): Promise<SchemaStore> {
  const tail = `_shadow_${nonce.replaceAll("-", "").slice(0, 8)}`;
  if (live.kind === "cql") {
    const keyspace = `${settings.cassandra.keyspace.slice(0, nameLengthMax)}${tail}`;
    return openCqlStore({ settings: { ...settings.cassandra, keyspace, replication_factor: 1 }, runner, nonce });
  }
  const url = new URL(settings.postgres.url);
  url.pathname = `${url.pathname.slice(0, nameLengthMax)}${tail}`;
  return openSqlStore({ settings: { ...settings.postgres, url: url.href }, runner });
}

/** Pure; in the order of the names. */
export function differences(
  live: ReadonlyMap<string, string>,
  replayed: ReadonlyMap<string, string>,
): readonly Drift[] {
  const objects = new Set([...live.keys(), ...replayed.keys()]);
  return [...objects]
    .toSorted()
    .map((object) => ({ object, live: live.get(object), replayed: replayed.get(object) }))
    .filter((drift) => drift.live !== drift.replayed);
}
