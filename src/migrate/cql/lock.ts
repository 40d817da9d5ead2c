import { StoreError } from "../../base/store-error.ts";
import type { CassandraAdmin } from "../../stores/cassandra/connect-admin.ts";
import { refuseInterrupted } from "../check-stop.ts";
import { lockHeld } from "../lock-held.ts";
import { pause } from "../pause.ts";
import type { AcquireOptions, LockHolder, SchemaLock } from "../schema-store.ts";
import { migrateLimits, type Runner } from "../settings.ts";
import { lockTaken, takeFence } from "./journal.ts";

/**
 * The lock of a keyspace: one row that expires unless its owner renews it. Actors: runners, and whoever breaks a lock.
 * States of the row: absent → owned (renewed every quarter of its life) → absent, by release or by expiry. An expired row
 * does not stop an owner that was asleep; the fence in the journal does (journal.ts).
 */
const name = "schema";

const takeRow = `INSERT INTO msgr_migration_lock (name, owner, since) VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?`;
const renewRow = `UPDATE msgr_migration_lock USING TTL ? SET owner = ?, since = ? WHERE name = ? IF owner = ?`;
const releaseRow = `DELETE FROM msgr_migration_lock WHERE name = ? IF owner = ?`;
const readRow = `SELECT owner, since FROM msgr_migration_lock WHERE name = ?`;

export interface CqlLock extends SchemaLock {
  readonly fence: number;
}

export interface CqlLockOptions extends AcquireOptions {
  readonly runner: Runner;
  /** Tells two acquisitions of one process apart. */
  readonly nonce: string;
  /** Life of the row without a heartbeat, ms, a multiple of 1 000. */
  readonly ttlMs: number;
}

/** Throws MigrateError locked (with the holder) or interrupted. */
export async function acquireCqlLock(admin: CassandraAdmin, options: CqlLockOptions): Promise<CqlLock> {
  const { clock, name: runnerName } = options.runner;
  const row: OwnedRow = { owner: `${runnerName}#${options.nonce}`, since: new Date(clock.nowMs()) };
  const startedMs = clock.monotonicMs();
  let seen = "";
  for (;;) {
    refuseInterrupted(options.interrupted);
    const takenMs = clock.monotonicMs();
    if (await take(admin, row, options.ttlMs)) return hold(admin, row, takenMs, options);
    const holder = await readCqlHolder(admin);
    // The row was written, and the answer that said so was lost.
    if (holder?.id === row.owner) return hold(admin, row, takenMs, options);
    if (holder !== undefined && holder.id !== seen) options.observer.waiting("cql", holder);
    seen = holder?.id ?? seen;
    if (clock.monotonicMs() - startedMs >= options.timeoutMs) throw lockHeld(holder);
    await pause(clock, migrateLimits.pollIntervalMs, options.interrupted);
  }
}

interface OwnedRow {
  readonly owner: string;
  readonly since: Date;
}

async function take(admin: CassandraAdmin, { owner, since }: OwnedRow, ttlMs: number): Promise<boolean> {
  try {
    const [answer] = await admin.execute(takeRow, [name, owner, since, ttlMs / 1_000]);
    // An attempt before, whose answer was lost, may have been the one that took it.
    return answer?.["[applied]"] === true || answer?.["owner"] === owner;
  } catch (error) {
    if (error instanceof StoreError && error.outcomeUnknown) return false;
    throw error;
  }
}

async function hold(
  admin: CassandraAdmin,
  { owner, since }: OwnedRow,
  takenMs: number,
  { runner: { clock }, ttlMs }: CqlLockOptions,
): Promise<CqlLock> {
  const lost = new AbortController();
  let isReleased = false;
  let renewedMs = takenMs;
  const beat = async (): Promise<void> => {
    const sentMs = clock.monotonicMs();
    try {
      const [answer] = await admin.execute(renewRow, [ttlMs / 1_000, owner, since, name, owner]);
      if (answer?.["[applied]"] === true) renewedMs = sentMs;
      else if (!isReleased) lost.abort(lockTaken());
    } catch {
      // No answer is no loss yet: the row lives on for the rest of its time, and the next beat asks again.
    }
    if (!isReleased && clock.monotonicMs() - renewedMs >= ttlMs) lost.abort(lockTaken());
    if (!isReleased && !lost.signal.aborted) timer = clock.schedule(ttlMs / 4, startBeat);
  };
  let beating = Promise.resolve();
  const startBeat = (): void => {
    beating = beat();
  };
  // An answer that was waited for, or lost, has cost a part of the row's life already.
  let timer = clock.schedule(Math.max(0, takenMs + ttlMs / 4 - clock.monotonicMs()), startBeat);
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    timer.cancel();
    await beating;
    // If it cannot be said, the row expires by itself.
    await admin.execute(releaseRow, [name, owner]).catch(() => undefined);
  };
  try {
    return { fence: await takeFence(admin), lost: lost.signal, release };
  } catch (error) {
    await release();
    throw error;
  }
}

export async function readCqlHolder(admin: CassandraAdmin): Promise<LockHolder | undefined> {
  const [row] = await admin.execute(readRow, [name], { serial: true });
  if (typeof row?.["owner"] !== "string") return undefined;
  const { owner } = row as { owner: string };
  return { id: owner, name: owner.split("#")[0] as string, since: (row["since"] as Date | null) ?? undefined };
}

/** False when somebody else, or nobody, owns the row. */
export async function breakCqlLock(admin: CassandraAdmin, owner: string): Promise<boolean> {
  const [answer] = await admin.execute(releaseRow, [name, owner]);
  return answer?.["[applied]"] === true;
}
