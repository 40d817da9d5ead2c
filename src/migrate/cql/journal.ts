import { StoreError } from "../../base/store-error.ts";
import type { CassandraAdmin, CassandraRow } from "../../stores/cassandra/connect-admin.ts";
import { MigrateError } from "../migrate-error.ts";
import type { JournalEntry, Migration } from "../migration.ts";

/**
 * The journal of a keyspace: one partition, so that one conditional batch can write any row of it under the fence.
 * `statement` 0 is the migration itself, 1… are its statements. `fence` is the number of the newest lock: a runner that was
 * asleep while another took over finds a greater one, and its writes are refused.
 */
const scope = "schema";

export const journalTables = [
  `CREATE TABLE IF NOT EXISTS msgr_migrations (
     scope text, version int, statement int, fence int static, name text, checksum text, body text, runner text,
     started_at timestamp, finished_at timestamp, repaired_at timestamp, repaired_by text,
     PRIMARY KEY (scope, version, statement))`,
  `CREATE TABLE IF NOT EXISTS msgr_migration_lock (name text PRIMARY KEY, owner text, since timestamp)`,
];

export const journalTableNames: ReadonlySet<string> = new Set(["msgr_migrations", "msgr_migration_lock"]);

const readRows = `SELECT version, statement, name, checksum, body, runner, started_at, finished_at, repaired_at, repaired_by
  FROM msgr_migrations WHERE scope = ?`;
const readFence = `SELECT fence FROM msgr_migrations WHERE scope = ? LIMIT 1`;
const firstFence = `UPDATE msgr_migrations SET fence = 1 WHERE scope = ? IF fence = null`;
const nextFence = `UPDATE msgr_migrations SET fence = ? WHERE scope = ? IF fence = ?`;
/** Changes nothing but proves, for the whole batch, that no newer lock was given. */
const underFence = `UPDATE msgr_migrations SET fence = ? WHERE scope = ? IF fence = ?`;

const fenced = (statement: string): string => `BEGIN BATCH ${underFence}; ${statement}; APPLY BATCH`;

const beginMigration = fenced(
  `UPDATE msgr_migrations SET name = ?, checksum = ?, body = ?, runner = ?, started_at = ?
   WHERE scope = ? AND version = ? AND statement = 0`,
);
const beginStatement = fenced(
  `UPDATE msgr_migrations SET checksum = ?, runner = ?, started_at = ?
   WHERE scope = ? AND version = ? AND statement = ?`,
);
const finishRow = fenced(
  `UPDATE msgr_migrations SET finished_at = ? WHERE scope = ? AND version = ? AND statement = ?`,
);
const adoptMigration = fenced(
  `UPDATE msgr_migrations SET checksum = ?, body = ?, repaired_at = ?, repaired_by = ?
   WHERE scope = ? AND version = ? AND statement = 0`,
);

/** The journal under one fence. Every write throws MigrateError lock_lost when a newer lock was given. */
export interface CqlJournal {
  beginMigration(migration: Migration, startedAt: Date): Promise<void>;
  /** `statement` counts from 1. */
  beginStatement(migration: Migration, statement: number, startedAt: Date): Promise<void>;
  finishStatement(migration: Migration, statement: number, finishedAt: Date): Promise<void>;
  finishMigration(migration: Migration, finishedAt: Date): Promise<void>;
  adopt(migration: Migration, at: Date): Promise<void>;
}

export function createCqlJournal(admin: CassandraAdmin, runner: string, fence: number): CqlJournal {
  const write = async (statement: string, params: readonly unknown[]): Promise<void> => {
    const all = [fence, scope, fence, ...params];
    // A write whose outcome is unknown is made again: it says the same, and the fence decides anew.
    const rows = await retried(() => admin.execute(statement, all));
    if (rows[0]?.["[applied]"] !== true) throw lockTaken();
  };
  return {
    beginMigration: async ({ version, name, checksum, text }, startedAt) =>
      write(beginMigration, [name, checksum, text, runner, startedAt, scope, version]),
    beginStatement: async ({ version, statements }, statement, startedAt) =>
      write(beginStatement, [statements[statement - 1]?.checksum, runner, startedAt, scope, version, statement]),
    finishStatement: async ({ version }, statement, finishedAt) =>
      write(finishRow, [finishedAt, scope, version, statement]),
    finishMigration: async ({ version }, finishedAt) => write(finishRow, [finishedAt, scope, version, 0]),
    adopt: async ({ version, checksum, text }, at) =>
      write(adoptMigration, [checksum, text, at, runner, scope, version]),
  };
}

export function lockTaken(): MigrateError {
  return new MigrateError(
    "lock_lost",
    "Another runner took the lock of the keyspace over; this one stopped before its next statement.",
    "`msgr migrate status` says how far the other one is.",
  );
}

/** A number greater than that of every lock before. Only the holder of the lock row asks for one. */
export async function takeFence(admin: CassandraAdmin): Promise<number> {
  for (;;) {
    const [row] = await admin.execute(readFence, [scope], { serial: true });
    const before = row?.["fence"] as number | null | undefined;
    const [answer] =
      typeof before === "number"
        ? await admin.execute(nextFence, [before + 1, scope, before])
        : await admin.execute(firstFence, [scope]);
    if (answer?.["[applied]"] === true) return (before ?? 0) + 1;
  }
}

export async function readCqlJournal(admin: CassandraAdmin): Promise<readonly JournalEntry[]> {
  const rows = await admin.execute(readRows, [scope], { serial: true });
  const heads = rows.filter((row) => row["statement"] === 0 && row["name"] !== null);
  return heads.map((head) =>
    entryOf(
      head,
      rows.filter((row) => row["version"] === head["version"]),
    ),
  );
}

function entryOf(head: CassandraRow, rows: readonly CassandraRow[]): JournalEntry {
  const date = (column: string): Date | undefined => (head[column] as Date | null) ?? undefined;
  const finishedAt = date("finished_at");
  const done = rows.filter((row) => (row["statement"] as number) > 0 && row["finished_at"] !== null);
  return {
    version: head["version"] as number,
    name: String(head["name"]),
    checksum: String(head["checksum"]),
    text: String(head["body"]),
    runner: String(head["runner"]),
    startedAt: head["started_at"] as Date,
    finishedAt,
    statementsDone: finishedAt === undefined ? done.map((row) => String(row["checksum"])) : [],
    repairedAt: date("repaired_at"),
    repairedBy: (head["repaired_by"] as string | null) ?? undefined,
  };
}

const attemptsMax = 3;

/** `run` again, at most twice more, as long as its outcome is unknown. */
export async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const isUnknown = error instanceof StoreError && error.outcomeUnknown;
      if (!isUnknown || attempt === attemptsMax) throw error;
    }
  }
}
