import type { PostgresAdmin, PostgresRow } from "../../stores/postgres/connect-admin.ts";
import type { JournalEntry, Migration } from "../migration.ts";

/**
 * The journal of a database. A migration in a transaction is written with it, whole or not at all; one without has a row
 * for each statement that is done.
 */
export const journalTables = [
  `CREATE TABLE IF NOT EXISTS msgr_migrations (
     version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, body text NOT NULL, runner text NOT NULL,
     started_at timestamptz NOT NULL, finished_at timestamptz, repaired_at timestamptz, repaired_by text)`,
  `CREATE TABLE IF NOT EXISTS msgr_migration_statements (
     version integer, statement integer, checksum text NOT NULL, finished_at timestamptz NOT NULL,
     PRIMARY KEY (version, statement))`,
];

export const journalTableNames: ReadonlySet<string> = new Set(["msgr_migrations", "msgr_migration_statements"]);

export async function hasSqlJournal(admin: PostgresAdmin): Promise<boolean> {
  const [row] = await admin.query(
    "SELECT to_regclass('msgr_migrations') IS NOT NULL AND to_regclass('msgr_migration_statements') IS NOT NULL AS there",
  );
  return row?.["there"] === true;
}

export async function readSqlJournal(admin: PostgresAdmin): Promise<readonly JournalEntry[]> {
  const rows = await admin.query(
    `SELECT m.*, coalesce(array_agg(s.checksum ORDER BY s.statement) FILTER (WHERE s.checksum IS NOT NULL), '{}') AS done
     FROM msgr_migrations m LEFT JOIN msgr_migration_statements s ON s.version = m.version AND m.finished_at IS NULL
     GROUP BY m.version ORDER BY m.version`,
  );
  return rows.map(entryOf);
}

function entryOf(row: PostgresRow): JournalEntry {
  const date = (column: string): Date | undefined => (row[column] as Date | null) ?? undefined;
  return {
    version: row["version"] as number,
    name: String(row["name"]),
    checksum: String(row["checksum"]),
    text: String(row["body"]),
    runner: String(row["runner"]),
    startedAt: row["started_at"] as Date,
    finishedAt: date("finished_at"),
    statementsDone: row["done"] as readonly string[],
    repairedAt: date("repaired_at"),
    repairedBy: (row["repaired_by"] as string | null) ?? undefined,
  };
}

export async function beginMigration(
  admin: PostgresAdmin,
  { version, name, checksum, text }: Migration,
  runner: string,
  startedAt: Date,
): Promise<void> {
  await admin.query(
    `INSERT INTO msgr_migrations (version, name, checksum, body, runner, started_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (version) DO UPDATE SET name = $2, checksum = $3, body = $4, runner = $5`,
    [version, name, checksum, text, runner, startedAt],
  );
}

/** `statement` counts from 1. */
export async function finishStatement(
  admin: PostgresAdmin,
  { version, statements }: Migration,
  statement: number,
  finishedAt: Date,
): Promise<void> {
  await admin.query(
    `INSERT INTO msgr_migration_statements (version, statement, checksum, finished_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [version, statement, statements[statement - 1]?.checksum, finishedAt],
  );
}

export async function finishMigration(admin: PostgresAdmin, { version }: Migration, finishedAt: Date): Promise<void> {
  await admin.query("UPDATE msgr_migrations SET finished_at = $2 WHERE version = $1", [version, finishedAt]);
}

export async function adoptMigration(
  admin: PostgresAdmin,
  { version, checksum, text }: Migration,
  runner: string,
  at: Date,
): Promise<void> {
  await admin.query(
    "UPDATE msgr_migrations SET checksum = $2, body = $3, repaired_at = $4, repaired_by = $5 WHERE version = $1",
    [version, checksum, text, at, runner],
  );
}
