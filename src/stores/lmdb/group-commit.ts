import { assert } from "../../base/assert.ts";
import { BoundedQueue } from "../../base/bounded-queue.ts";
import type { Clock } from "../../base/clock.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { Batch, type EncodedWrite, type Transaction } from "./batch.ts";
import { commitError, type CommitError } from "./commit-error.ts";
import type { RawRoot } from "./raw-database.ts";
import type { ChangedRows, Snapshot } from "./snapshot.ts";

/**
 * The one writer of the process. Whatever waits when a commit ends becomes the next commit; a promise resolves when its
 * commit is on disk.
 *
 * States: idle → gathering (something waits; the rest of this turn may join) → committing (one, never two) → gathering
 * or idle. A commit that takes longer than commitTimeoutMs makes the writer stalled: those in it hear `undecided`,
 * those who wait and those who come hear `store_unavailable`; when it ends after all, the writer goes on. A commit that
 * fails otherwise than for want of space makes it failed, for good: after an error of the disk neither the page cache
 * nor the outcome can be trusted, only a new process that reads the disk again.
 *
 * Why a check in memory is safe: the folder lock makes this process the only writer, operations run only while no
 * commit is in flight, and they read what is committed with the batch's own writes on top. What they saw is
 * exactly what their writes land on. A commit that fails takes with it every operation that could have built on it,
 * since all of those are in the same commit: nothing later can land on a write that did not.
 */
export class GroupCommit {
  readonly #root: Pick<RawRoot, "batch">;
  readonly #snapshot: Snapshot;
  readonly #options: GroupCommitOptions;
  readonly #waiting: BoundedQueue<Waiter>;
  #state: "idle" | "gathering" | "committing" | "stalled" | "failed" = "idle";
  #closing = false;
  #failure: unknown;
  #idleWaiters: (() => void)[] = [];

  constructor(root: Pick<RawRoot, "batch">, snapshot: Snapshot, options: GroupCommitOptions) {
    this.#root = root;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#waiting = new BoundedQueue(options.operationsWaitingMax);
  }

  /** False while a commit has an open outcome: what the snapshot shows may then not be what a later process finds. */
  get isDecided(): boolean {
    return this.#state !== "stalled" && this.#state !== "failed";
  }

  /** Operations that no commit has begun with yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** See Environment.write. */
  write<Result>(operation: (transaction: Transaction) => Result): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#closing || !this.isDecided) {
        reject(unavailable(this.#failure));
        return;
      }
      const waiter = { operation, resolve, reject } as Waiter;
      if (!this.#waiting.push(waiter)) {
        reject(unavailable(undefined));
        return;
      }
      if (this.#state === "idle") {
        this.#state = "gathering";
        setImmediate(() => this.#commit());
      }
    });
  }

  /** Refuses new writes and resolves when those that were taken have ended. */
  async drain(): Promise<void> {
    this.#closing = true;
    if (this.#state === "idle" || this.#state === "failed") return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #commit(): void {
    assert(this.#state === "gathering", `commit while ${this.#state}`);
    let growthBytesMax: number;
    try {
      growthBytesMax = this.#options.growthBytesMax();
    } catch (cause) {
      // The folder does not answer or is gone: what a commit would say of a file that nobody can open again is worthless.
      this.#fail({ kind: "broken", cause }, []);
      return;
    }
    const gathered = this.#gather(growthBytesMax);
    if (gathered === undefined || gathered.writes.length === 0) {
      for (const { waiter, result } of gathered?.done ?? []) waiter.resolve(result);
      this.#next();
      return;
    }
    this.#state = "committing";
    const timer = this.#options.clock.schedule(this.#options.commitTimeoutMs, () => this.#stall(gathered.done));
    this.#snapshot.handOver(gathered.changed);
    void this.#hand(gathered.writes).then((failure) => {
      timer.cancel();
      if (failure !== undefined) return this.#fail(failure, gathered.done);
      this.#snapshot.announce(true);
      for (const { waiter, result } of gathered.done) waiter.resolve(result);
      return this.#next();
    });
  }

  /** Runs what waits against one view; those that throw are answered at once. Undefined if the whole cannot be written. */
  #gather(growthBytesMax: number): Gathered | undefined {
    const done: Done[] = [];
    try {
      const batch = new Batch(this.#snapshot, growthBytesMax);
      for (let count = 0; count < this.#options.operationsPerCommitMax; count++) {
        const waiter = this.#waiting.shift();
        if (waiter === undefined) break;
        try {
          done.push({ waiter, result: batch.run(waiter.operation) });
        } catch (error) {
          waiter.reject(error);
        }
      }
      return { done, changed: batch.changed(), writes: batch.encoded() };
    } catch (error) {
      for (const { waiter } of done) waiter.reject(error);
      return undefined;
    }
  }

  /** One call of the driver, one transaction. Answers why it failed, if it did. */
  async #hand(writes: readonly EncodedWrite[]): Promise<CommitError | undefined> {
    try {
      await this.#root.batch(() => {
        for (const { database, key, bytes } of writes) {
          const target = this.#snapshot.database(database);
          // Their own promises are that of the batch.
          if (bytes === undefined) void target.remove(key);
          else void target.put(key, bytes as Buffer);
        }
      });
      return undefined;
    } catch (cause) {
      return commitError(cause);
    }
  }

  #next(): void {
    if (this.#waiting.length > 0) {
      this.#state = "gathering";
      this.#commit();
      return;
    }
    this.#state = "idle";
    this.#announceIdle();
  }

  #stall(done: readonly Done[]): void {
    this.#state = "stalled";
    for (const { waiter } of done) waiter.reject(unavailable(undefined, true));
    this.#refuseWaiting();
  }

  #fail({ kind, cause }: CommitError, done: readonly Done[]): void {
    const error = kind === "full" ? new WireError("storage_full", { cause }) : unavailable(cause, true);
    for (const { waiter } of done) waiter.reject(error);
    if (kind === "full") {
      this.#snapshot.announce(false);
      this.#next();
      return;
    }
    this.#state = "failed";
    this.#failure = cause;
    this.#refuseWaiting();
    this.#announceIdle();
  }

  #refuseWaiting(): void {
    for (let waiter = this.#waiting.shift(); waiter !== undefined; waiter = this.#waiting.shift()) {
      waiter.reject(unavailable(this.#failure));
    }
  }

  #announceIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

export interface GroupCommitOptions {
  readonly clock: Clock;
  readonly commitTimeoutMs: number;
  readonly operationsPerCommitMax: number;
  readonly operationsWaitingMax: number;
  /** How much the data may still grow; asked before each commit. Throws when the folder cannot be asked: the writer then fails. */
  growthBytesMax(): number;
}

interface Waiter {
  readonly operation: (transaction: Transaction) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Gathered {
  readonly done: readonly Done[];
  readonly changed: ChangedRows;
  readonly writes: readonly EncodedWrite[];
}

interface Done {
  readonly waiter: Waiter;
  readonly result: unknown;
}

function unavailable(cause: unknown, undecided = false): WireError {
  return new WireError("store_unavailable", { cause, undecided });
}
