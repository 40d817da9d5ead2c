import { StoreError } from "../../base/store-error.ts";
import { checkStop } from "../check-stop.ts";
import type { CassandraAdmin } from "../../stores/cassandra/connect-admin.ts";
import { errorPlaceOf } from "../../stores/cassandra/admin-error.ts";
import { MigrateError } from "../migrate-error.ts";
import type { JournalEntry, Migration, Statement } from "../migration.ts";
import { pause } from "../pause.ts";
import { describePlace } from "../scanned.ts";
import type { ApplyOptions, Broken } from "../schema-store.ts";
import { migrateLimits, type Runner } from "../settings.ts";
import { verifyFailed } from "../verify-failed.ts";
import { awaitAgreement } from "./agreement.ts";
import { retried, type CqlJournal } from "./journal.ts";

export interface CqlApplyContext {
  readonly admin: CassandraAdmin;
  readonly journal: CqlJournal;
  readonly runner: Runner;
}

/**
 * One migration, statement by statement: journal (under the fence), agreement, statement, agreement, journal. A statement that was
 * begun and not finished runs again; the linter sees to it that this does no harm.
 */
export async function applyCql(
  { admin, journal, runner }: CqlApplyContext,
  migration: Migration,
  begun: JournalEntry | undefined,
  options: ApplyOptions,
): Promise<void> {
  const { clock } = runner;
  const startedMs = clock.monotonicMs();
  const now = (): Date => new Date(clock.nowMs());
  checkStop(options);
  await journal.beginMigration(migration, begun?.startedAt ?? now());
  for (const [index, statement] of migration.statements.entries()) {
    if (index < (begun?.statementsDone.length ?? 0)) continue;
    checkStop(options);
    options.observer.statement(migration, index);
    await journal.beginStatement(migration, index + 1, now());
    await retried(async () => {
      await agreed(admin, runner, options);
      await execute(admin, migration, statement);
    });
    await agreed(admin, runner, options);
    await journal.finishStatement(migration, index + 1, now());
  }
  const [broken] = await verifyCql(admin, migration);
  if (broken !== undefined) throw verifyFailed(migration, broken);
  checkStop(options);
  await journal.finishMigration(migration, now());
  options.observer.applied(migration, clock.monotonicMs() - startedMs);
}

async function execute(admin: CassandraAdmin, migration: Migration, statement: Statement): Promise<void> {
  try {
    await admin.execute(statement.text, undefined, { timeoutMs: migration.directives.timeoutMs });
  } catch (error) {
    if (!(error instanceof StoreError) || error.outcomeUnknown) throw error;
    const { line, column } = statement.place;
    const said = errorPlaceOf(error);
    // Cassandra counts within the statement; its first line begins in the middle of ours.
    const place =
      said === undefined
        ? statement.place
        : { line: line + said.line - 1, column: said.line === 1 ? column + said.column - 1 : said.column };
    throw new MigrateError(
      "statement_failed",
      `${describePlace(migration.file, place)}: ${error.message}`,
      "Correct that statement and run `msgr migrate up` again: it goes on with it.",
      error,
    );
  }
}

/** Unless the run has to stop meanwhile. */
async function agreed(
  admin: CassandraAdmin,
  { clock }: Runner,
  options: Pick<ApplyOptions, "lock" | "interrupted">,
): Promise<void> {
  await awaitAgreement(admin, clock, async () => {
    await pause(clock, migrateLimits.pollIntervalMs, options.lock.lost);
    checkStop(options);
  });
}

/** A verify statement of CQL holds when it can be run: a query that names columns proves that they are there. */
export async function verifyCql(admin: CassandraAdmin, migration: Migration): Promise<readonly Broken[]> {
  const broken: Broken[] = [];
  for (const statement of migration.verify) {
    try {
      await admin.execute(statement.text);
    } catch (error) {
      if (!(error instanceof StoreError) || error.outcomeUnknown) throw error;
      broken.push({ statement, why: error.message });
    }
  }
  return broken;
}
