import { compareWithJournal, fileOf, type MigrationState } from "./compare.ts";
import type { Migration } from "./migration.ts";
import { describePlace } from "./scanned.ts";
import type { SchemaStore } from "./schema-store.ts";

/** Something about a schema that is not as its migrations say. */
export interface SchemaProblem {
  /** A file, with line and column where there is one. */
  readonly place: string;
  readonly what: string;
}

const problemsByState: Readonly<Partial<Record<MigrationState, string>>> = {
  changed: "is not what was applied (`msgr migrate up` shows the difference)",
  newer: "was applied by a newer version",
  skipped: "was never applied, but a later one was",
  partial: "was begun and not finished (`msgr migrate up` goes on with it)",
};

/** Checks the checksums of what was applied, and runs the verify parts again. Changes nothing. Throws StoreError. */
export async function verifySchema(
  store: SchemaStore,
  migrations: readonly Migration[],
): Promise<readonly SchemaProblem[]> {
  const problems: SchemaProblem[] = [];
  for (const status of compareWithJournal(store.kind, migrations, await store.readJournal())) {
    const what = problemsByState[status.state];
    if (what !== undefined) problems.push({ place: fileOf(status), what });
    if (status.state !== "applied" || status.migration === undefined) continue;
    for (const { statement, why } of await store.verify(status.migration)) {
      problems.push({ place: describePlace(fileOf(status), statement.place), what: `does not hold: ${why}` });
    }
  }
  return problems;
}
