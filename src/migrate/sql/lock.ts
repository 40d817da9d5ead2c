import type { PostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { refuseInterrupted } from "../check-stop.ts";
import { lockHeld } from "../lock-held.ts";
import { MigrateError } from "../migrate-error.ts";
import { pause } from "../pause.ts";
import type { AcquireOptions, LockHolder, SchemaLock } from "../schema-store.ts";
import { migrateLimits, type Runner } from "../settings.ts";

/**
 * The lock of a database: a session's advisory lock, so that it ends with the session. It is polled, because a session that
 * waits in pg_advisory_lock holds a snapshot that CREATE INDEX CONCURRENTLY waits for: a deadlock of two runners.
 */
const keys = [0x6d73_6772, 1] as const;

const lockRow = `l.locktype = 'advisory' AND l.classid = ${keys[0]} AND l.objid = ${keys[1]} AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Throws MigrateError locked (with the holder), interrupted, or lock_lost when a pooler stands between. */
export async function acquireSqlLock(
  admin: PostgresAdmin,
  { timeoutMs, observer, interrupted }: AcquireOptions,
  { clock }: Runner,
): Promise<SchemaLock> {
  const startedMs = clock.monotonicMs();
  let seen = "";
  for (;;) {
    refuseInterrupted(interrupted);
    const [row] = await admin.query(`SELECT pg_try_advisory_lock(${keys.join(", ")}) AS taken`);
    if (row?.["taken"] === true) break;
    const holder = await readSqlHolder(admin);
    if (holder !== undefined && holder.id !== seen) observer.waiting("sql", holder);
    seen = holder?.id ?? seen;
    if (clock.monotonicMs() - startedMs >= timeoutMs) throw lockHeld(holder);
    await pause(clock, migrateLimits.pollIntervalMs, interrupted);
  }
  await proveHeld(admin);
  let isReleased = false;
  return {
    lost: admin.lost,
    async release() {
      if (isReleased) return;
      isReleased = true;
      // A session that is gone has given it back already.
      await admin.query(`SELECT pg_advisory_unlock(${keys.join(", ")})`).catch(() => undefined);
    },
  };
}

/** A pooler that gives each transaction another session makes session locks worth nothing, silently. */
async function proveHeld(admin: PostgresAdmin): Promise<void> {
  const rows = await admin.query(`SELECT FROM pg_locks l WHERE ${lockRow} AND l.granted AND l.pid = pg_backend_pid()`);
  if (rows.length === 1) return;
  throw new MigrateError(
    "lock_lost",
    "The lock that was just taken is not held by this session: a pooler in transaction mode stands between.",
    "Let postgres.url lead to PostgreSQL itself, or to a pooler in session mode, for `msgr migrate`.",
  );
}

export async function readSqlHolder(admin: PostgresAdmin): Promise<LockHolder | undefined> {
  const [row] = await admin.query(
    `SELECT l.pid, a.application_name, a.backend_start FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE ${lockRow} AND l.granted`,
  );
  if (row === undefined) return undefined;
  const id = `pid ${String(row["pid"])}`;
  const name = (row["application_name"] as string | null) ?? "";
  return { id, name: name === "" ? id : name, since: (row["backend_start"] as Date | null) ?? undefined };
}

/** Ends the session `pid N` if it holds the lock. */
export async function breakSqlLock(admin: PostgresAdmin, id: string): Promise<boolean> {
  const pid = Number(/^(?:pid )?(\d+)$/.exec(id)?.[1]);
  if (!Number.isInteger(pid)) return false;
  const rows = await admin.query(
    `SELECT pg_terminate_backend(l.pid, 5000) AS ended FROM pg_locks l WHERE ${lockRow} AND l.granted AND l.pid = $1`,
    [pid],
  );
  return rows[0]?.["ended"] === true;
}
