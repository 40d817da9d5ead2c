import { WireError } from "../../protocol/wire-errors.ts";
import type { Transaction } from "./batch.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Key } from "./keys.ts";
import type { RawRoot } from "./raw-database.ts";
import type { Entry, KeyRange, Reader, Snapshot } from "./snapshot.ts";
import type { Table } from "./tables.ts";

/**
 * One data folder, open: everything durable of the embedded profile. Made by openEnvironment.
 *
 * How to keep something here:
 * 1. Add the database's name to `databaseNames` (tables.ts) and make a Table for it: packedTable<Value>("name") unless
 *    it lies on the path of every message.
 * 2. Make keys with keys.ts, so that bytewise order is the order they are read in.
 * 3. Read with `get` and `range`: synchronous, and they see every write that has resolved.
 * 4. Write with `write(operation)`. The operation is a synchronous function that runs once and alone: it reads and writes
 *    through the transaction it is given, sees what every operation before it wrote, and all of it becomes durable or
 *    nothing does. It must have no other effect, since the commit may still fail after it ran: what it returns is what
 *    `write` resolves to, once it is on disk. If it throws, it has written nothing and `write` rejects with that.
 *
 *    const taken = await environment.write((transaction) => {
 *      if (transaction.get(handles, textKey(handle)) !== undefined) return true;
 *      transaction.put(handles, textKey(handle), { userId });
 *      return false;
 *    });
 */
export class Environment implements Reader, AsyncDisposable {
  /** Rows a bucket of the message log holds; fixed for the life of the folder. */
  readonly bucketRows: number;
  readonly #root: RawRoot;
  readonly #snapshot: Snapshot;
  readonly #writer: GroupCommit;
  readonly #release: () => void;
  #closed: Promise<void> | undefined;

  constructor(parts: EnvironmentParts) {
    this.bucketRows = parts.bucketRows;
    this.#root = parts.root;
    this.#snapshot = parts.snapshot;
    this.#writer = parts.writer;
    this.#release = parts.release;
  }

  get<Value>(table: Table<Value>, key: Key): Value | undefined {
    this.#checkOpen();
    return this.#snapshot.get(table, key);
  }

  range<Value>(table: Table<Value>, range: KeyRange): readonly Entry<Value>[] {
    this.#checkOpen();
    return this.#snapshot.range(table, range);
  }

  /**
   * Durable when it resolves. Rejects with what the operation threw, or with a WireError: `storage_full` and
   * `store_unavailable` mean that nothing was written, `store_unavailable` with `undecided` that the disk did not say.
   */
  write<Result>(operation: (transaction: Transaction) => Result): Promise<Result> {
    return this.#writer.write(operation);
  }

  /** Operations that no commit has begun with yet. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  /** Throws `store_unavailable` while some commit has an open outcome; what is read after it is what any later read finds. */
  checkDecided(): void {
    this.#checkOpen();
    if (!this.#writer.isDecided) throw new WireError("store_unavailable");
  }

  /** Waits for the writes that were taken, refuses new ones, closes the files and lets the folder go. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#writer.drain();
    await this.#root.close();
    this.#release();
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw new WireError("store_unavailable");
  }
}

export interface EnvironmentParts {
  readonly bucketRows: number;
  readonly root: RawRoot;
  readonly snapshot: Snapshot;
  readonly writer: GroupCommit;
  readonly release: () => void;
}
