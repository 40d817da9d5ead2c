import { compareWithJournal, refuseForeign } from "./compare.ts";
import { migrateUp, type UpOptions } from "./migrate-up.ts";
import type { Migration } from "./migration.ts";
import { openCqlStore } from "./cql/store.ts";
import type { StoreChoice } from "./open-stores.ts";
import type { SchemaStore } from "./schema-store.ts";
import { isStaleShadow, shadowName } from "./shadow-name.ts";
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
 * again, as are those that killed runs have left. Throws StoreError and MigrateError.
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
  await dropStaleShadows(live, choice);
  const shadow = await openBeside(
    live,
    choice,
    shadowName(nameOf(live, choice), choice.runner.clock.nowMs(), choice.nonce),
  );
  try {
    await migrateUp(shadow, migrations, { ...options, to });
    const found = differences(await live.describeSchema(), await shadow.describeSchema());
    await shadow.drop();
    return found;
  } catch (error) {
    // What went wrong first is what is told; a shadow that stays is dropped by a later run.
    await shadow.drop().catch(() => undefined);
    throw error;
  } finally {
    await shadow.close();
  }
}

type Place = Omit<StoreChoice, "kinds">;

function nameOf({ kind }: SchemaStore, { settings }: Place): string {
  return kind === "cql"
    ? settings.cassandra.keyspace
    : decodeURIComponent(new URL(settings.postgres.url).pathname.slice(1));
}

/** One whose run goes on is young, or somebody holds its lock: a run holds it for as long as it makes the schema. */
async function dropStaleShadows(live: SchemaStore, choice: Place): Promise<void> {
  const [owner, nowMs] = [nameOf(live, choice), choice.runner.clock.nowMs()];
  for (const name of await live.namesBeside()) {
    if (!isStaleShadow(name, owner, nowMs)) continue;
    const shadow = await openBeside(live, choice, name);
    try {
      if ((await shadow.readHolder()) === undefined) await shadow.drop();
    } finally {
      await shadow.close();
    }
  }
}

async function openBeside(live: SchemaStore, { settings, runner, nonce }: Place, name: string): Promise<SchemaStore> {
  if (live.kind === "cql") {
    const cassandra = { ...settings.cassandra, keyspace: name, replication_factor: 1 };
    return openCqlStore({ settings: cassandra, runner, nonce });
  }
  const url = new URL(settings.postgres.url);
  url.pathname = `/${encodeURIComponent(name)}`;
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
