import { MigrateError } from "./migrate-error.ts";
import type { JournalEntry, Migration, SchemaKind } from "./migration.ts";
import { textDiff } from "./text-diff.ts";

/**
 * Where a migration stands. `partial`: begun, and a run completes it. `changed`: the file is not what was applied. `newer`:
 * the store has it, this version does not. `skipped`: a later one was applied before it.
 */
export type MigrationState = "applied" | "partial" | "pending" | "changed" | "newer" | "skipped";

export interface MigrationStatus {
  readonly kind: SchemaKind;
  readonly version: number;
  readonly name: string;
  readonly state: MigrationState;
  /** undefined = this version has no such file. */
  readonly migration: Migration | undefined;
  /** undefined = it was never begun. */
  readonly entry: JournalEntry | undefined;
}

/** Pure: the files of this version beside the journal of a store, in order. */
export function compareWithJournal(
  kind: SchemaKind,
  migrations: readonly Migration[],
  journal: readonly JournalEntry[],
): readonly MigrationStatus[] {
  const entries = new Map(journal.map((entry) => [entry.version, entry]));
  const newest = Math.max(0, ...entries.keys());
  const known = migrations.map((migration): MigrationStatus => {
    const entry = entries.get(migration.version);
    const state =
      entry === undefined ? (migration.version < newest ? "skipped" : "pending") : stateOf(migration, entry);
    return { kind, version: migration.version, name: migration.name, state, migration, entry };
  });
  const newer = journal.filter(({ version }) => version > migrations.length);
  return [
    ...known,
    ...newer.map((entry): MigrationStatus => {
      const { version, name } = entry;
      return { kind, version, name, state: "newer", migration: undefined, entry };
    }),
  ];
}

function stateOf(migration: Migration, entry: JournalEntry): MigrationState {
  if (entry.finishedAt !== undefined) return entry.checksum === migration.checksum ? "applied" : "changed";
  // What is not done yet may be corrected; what is done has to be what the file says.
  const isSame = entry.statementsDone.every((checksum, index) => checksum === migration.statements[index]?.checksum);
  return isSame ? "partial" : "changed";
}

export function isToDo({ state }: MigrationStatus): boolean {
  return state === "pending" || state === "partial";
}

/** Throws MigrateError changed or newer when going on from here would build on something else than the files say. */
export function refuseForeign(statuses: readonly MigrationStatus[]): void {
  const newer = statuses.filter(({ state }) => state === "newer");
  if (newer.length > 0) throw newerError(newer);
  for (const status of statuses) {
    if (status.state === "changed") throw changedError(status);
    if (status.state === "skipped") throw skippedError(status);
  }
}

export function fileOf({ kind, name }: Pick<MigrationStatus, "kind" | "name">): string {
  return `${kind}/${name}.${kind}`;
}

function newerError(newer: readonly MigrationStatus[]): MigrateError {
  const names = newer.map(fileOf).join(", ");
  const entry = newer[0]?.entry;
  return new MigrateError(
    "newer",
    `The schema is newer than this version: ${names} (${appliedBy(entry)}).`,
    "Run the version that has these migrations, or a later one; schemas are never taken back.",
  );
}

function changedError({ kind, name, version, migration, entry }: MigrationStatus): MigrateError {
  const file = fileOf({ kind, name });
  const renamed = entry !== undefined && entry.name !== name ? ` as ${entry.name}` : "";
  const diff = textDiff(entry?.text ?? "", migration?.text ?? "");
  return new MigrateError(
    "changed",
    `${file} is not what was applied${renamed} (${appliedBy(entry)}):\n${diff}`,
    `Put the file back and write the change as a new migration. If nothing but words changed: msgr migrate repair --only ${kind} --confirm ${String(version).padStart(4, "0")}`,
  );
}

function skippedError(status: MigrationStatus): MigrateError {
  return new MigrateError(
    "changed",
    `${fileOf(status)} was never applied, but a later one was.`,
    "Number it after the newest one that is applied anywhere.",
  );
}

function appliedBy(entry: JournalEntry | undefined): string {
  if (entry === undefined) return "not in the journal";
  return `${(entry.finishedAt ?? entry.startedAt).toISOString()} by ${entry.runner}`;
}
