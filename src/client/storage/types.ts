import type { PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Change, StoredDevice } from "../machine/types.ts";

/**
 * What one device remembers over restarts. Changes are atomic and become durable in the order they were written: after a
 * crash a prefix of them is there, never one without all before it.
 */
export interface ClientStorage {
  /** What a machine is restored from: everything written so far. */
  load(): StoredDevice;
  /** Takes a change; reads see it at once. True = durable already, false = `onDurable` will tell. */
  write(change: Change): boolean;
  /**
   * `listener` is told how many changes written since opening are durable, ascending; or, once and for the last time, why
   * no more will be (StorageError). One listener; a second replaces the first.
   */
  onDurable(listener: (changes: number, failure: StorageError | undefined) => void): void;
  /** Rows that are held, ascending, the newest `limit` (≥ 1) of those below `before` (default: of all). May have holes. */
  rows(conversationId: Uuid, limit: number, before?: number): readonly PageRow[];
  /** Text that was typed and not sent; "" removes it. Durable with the next flush. */
  setDraft(conversationId: Uuid, text: string): void;
  draft(conversationId: Uuid): string;
  /** Resolves when everything written before is durable; rejects with StorageError when it cannot be. */
  flush(): Promise<void>;
  /** Flushes and lets go of files and locks. Idempotent. */
  close(): Promise<void>;
}

export type StorageErrorCode = "locked" | "corrupt" | "newer_version" | "write_failed" | "closed";

/** Why the storage cannot be used; `fix` says what to do. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  readonly fix: string;

  constructor(code: StorageErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.fix = fix;
  }
}
