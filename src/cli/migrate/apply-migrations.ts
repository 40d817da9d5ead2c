import { compareWithJournal, refuseForeign } from "../../migrate/compare.ts";
import { migrateUp } from "../../migrate/migrate-up.ts";
import type { SchemaKind } from "../../migrate/migration.ts";
import { loadSqlParser } from "../../migrate/sql/scan.ts";
import type { Output } from "../output.ts";
import { refuseLint } from "./refuse-lint.ts";
import type { MigrateSession } from "./with-stores.ts";

export interface AppliedMigration {
  readonly kind: SchemaKind;
  readonly version: number;
  readonly name: string;
}

/** Applies what the stores lack, up to migration `to` (Infinity = all). Throws what `msgr migrate up` says. */
export async function applyMigrations(
  { schemas, acquire }: MigrateSession,
  to: number,
  output: Output,
): Promise<AppliedMigration[]> {
  await loadSqlParser();
  // Everything that can be refused is refused before the first statement of either store.
  for (const { store, migrations } of schemas) {
    const statuses = compareWithJournal(store.kind, migrations, await store.readJournal());
    refuseForeign(statuses);
    refuseLint(statuses, to, output);
  }
  const applied: AppliedMigration[] = [];
  for (const { store, migrations } of schemas) {
    const due = await migrateUp(store, migrations, { ...acquire, to });
    applied.push(...due.map(({ kind, version, name }) => ({ kind, version, name })));
  }
  return applied;
}

export function appliedText(count: number): string {
  return count === 0
    ? "Nothing to do: the schemas are up to date."
    : `Applied ${count} migration${count === 1 ? "" : "s"}.`;
}
