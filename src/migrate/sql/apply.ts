import { StoreError } from "../../base/store-error.ts";
import { errorPositionOf, sqlStateOf } from "../../stores/postgres/admin-error.ts";
import type { PostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { checkStop } from "../check-stop.ts";
import { MigrateError } from "../migrate-error.ts";
import type { JournalEntry, Migration, Statement } from "../migration.ts";
import { describePlace, placeAt } from "../scanned.ts";
import type { ApplyOptions, Broken } from "../schema-store.ts";
import { migrateLimits, type Runner } from "../settings.ts";
import { verifyFailed } from "../verify-failed.ts";
import { dropInvalidIndex } from "./invalid-index.ts";
import { beginMigration, finishMigration, finishStatement } from "./journal.ts";

/** One migration, in a transaction with its journal entry, or statement by statement where it says no-transaction. */
export async function applySql(
  admin: PostgresAdmin,
  runner: Runner,
  migration: Migration,
  begun: JournalEntry | undefined,
  options: ApplyOptions,
): Promise<void> {
  const { clock } = runner;
  const startedMs = clock.monotonicMs();
  const startedAt = begun?.startedAt ?? new Date(clock.nowMs());
  checkStop(options);
  if (migration.directives.noTransaction) await applySingly(admin, runner, migration, { begun, startedAt }, options);
  else await applyInTransaction(admin, runner, migration, { begun, startedAt }, options);
  options.observer.applied(migration, clock.monotonicMs() - startedMs);
}

interface Begun {
  /** By a run before; undefined = by none. */
  readonly begun: JournalEntry | undefined;
  readonly startedAt: Date;
}

async function applyInTransaction(
  admin: PostgresAdmin,
  { clock, name }: Runner,
  migration: Migration,
  { begun, startedAt }: Begun,
  options: ApplyOptions,
): Promise<void> {
  await admin.query("BEGIN");
  try {
    await setTimeouts(admin, migration, "LOCAL");
    for (const [index, statement] of migration.statements.entries()) {
      // Done when the file still said no-transaction.
      if (index < (begun?.statementsDone.length ?? 0)) continue;
      checkStop(options);
      options.observer.statement(migration, index);
      await execute(admin, migration, statement);
    }
    const [broken] = await verifySql(admin, migration);
    if (broken !== undefined) throw verifyFailed(migration, broken);
    await beginMigration(admin, migration, name, startedAt);
    await finishMigration(admin, migration, new Date(clock.nowMs()));
    checkStop(options);
    await admin.query("COMMIT");
  } catch (error) {
    // A session that is gone has rolled back already.
    await admin.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function applySingly(
  admin: PostgresAdmin,
  { clock, name }: Runner,
  migration: Migration,
  { begun, startedAt }: Begun,
  options: ApplyOptions,
): Promise<void> {
  await setTimeouts(admin, migration, "SESSION");
  try {
    await beginMigration(admin, migration, name, startedAt);
    for (const [index, statement] of migration.statements.entries()) {
      if (index < (begun?.statementsDone.length ?? 0)) continue;
      checkStop(options);
      options.observer.statement(migration, index);
      await dropInvalidIndex(admin, statement.text);
      await execute(admin, migration, statement);
      await finishStatement(admin, migration, index + 1, new Date(clock.nowMs()));
    }
    const [broken] = await verifySql(admin, migration);
    if (broken !== undefined) throw verifyFailed(migration, broken);
    checkStop(options);
    await finishMigration(admin, migration, new Date(clock.nowMs()));
  } finally {
    await admin.query("RESET lock_timeout").catch(() => undefined);
    await admin.query("RESET statement_timeout").catch(() => undefined);
  }
}

async function setTimeouts(admin: PostgresAdmin, { directives }: Migration, scope: "LOCAL" | "SESSION"): Promise<void> {
  await admin.query(`SET ${scope} lock_timeout = ${migrateLimits.tableLockTimeoutMs}`);
  await admin.query(`SET ${scope} statement_timeout = ${directives.timeoutMs}`);
}

async function execute(admin: PostgresAdmin, migration: Migration, statement: Statement): Promise<void> {
  try {
    await admin.query(statement.text);
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "other") throw error;
    throw statementFailed(migration, statement, error);
  }
}

function statementFailed(migration: Migration, statement: Statement, error: StoreError): MigrateError {
  const within = placeAt(statement.text, errorPositionOf(error) ?? 0);
  const { line, column } = statement.place;
  const place = {
    line: line + within.line - 1,
    column: within.line === 1 ? column + within.column - 1 : within.column,
  };
  const state = sqlStateOf(error);
  const fixes: Readonly<Record<string, string>> = {
    "55P03": `Other sessions hold the table for more than ${migrateLimits.tableLockTimeoutMs / 1_000} s: run it again when it is quiet (pg_stat_activity shows them).`,
    "57014": "If it may take longer, say so at the head of the file: -- msgr: timeout 10m",
    "25001": "Put it into a file of its own with `-- msgr: no-transaction` at its head.",
  };
  const undone = migration.directives.noTransaction ? "it goes on with it" : "nothing of the file was kept";
  const fix = fixes[state ?? ""] ?? `Correct that statement and run \`msgr migrate up\` again: ${undone}.`;
  return new MigrateError("statement_failed", `${describePlace(migration.file, place)}: ${error.message}`, fix, error);
}

/** A verify statement of SQL holds when the first column of its first row is true. */
export async function verifySql(admin: PostgresAdmin, migration: Migration): Promise<readonly Broken[]> {
  const broken: Broken[] = [];
  for (const statement of migration.verify) {
    try {
      const [row] = await admin.query(statement.text);
      const [answer] = Object.values(row ?? {});
      if (answer === true) continue;
      broken.push({
        statement,
        why: row === undefined ? "no row was answered." : `${JSON.stringify(answer)} was answered.`,
      });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== "other") throw error;
      broken.push({ statement, why: error.message });
      // In a transaction nothing can be asked any more after an error.
      return broken;
    }
  }
  return broken;
}
