import type { Uuid } from "../../protocol/ids.ts";
import type { ListWrite, ReceiptRow } from "../model.ts";

export interface ReceiptWrite {
  readonly conversationId: Uuid;
  readonly userId: Uuid;
  readonly recv?: { readonly seq: number; readonly at: number };
  readonly read?: { readonly seq: number; readonly at: number };
}

/**
 * Watermarks of the members of each conversation, one row a member, read together in one partition read. Registers:
 * a higher seq wins with its time, in any order of arrival; an equal or lower one changes nothing.
 * Errors: WireError `store_unavailable`, `storage_full`.
 */
export interface Receipts {
  /** Durable when it resolves. Never skipped because this row looks old: a write that an earlier time-out left open may still be needed. */
  write(writes: readonly ReceiptWrite[]): Promise<void>;
  /**
   * Both durable when it resolves; the own watermarks in `lists` no earlier than everything else, as in
   * ConversationLists.write. For stores that keep receipts and lists together; elsewhere the caller writes the receipts
   * first and the lists after them.
   */
  writeWithLists?(writes: readonly ReceiptWrite[], lists: readonly ListWrite[]): Promise<void>;
  all(conversationId: Uuid): Promise<readonly ReceiptRow[]>;
  one(conversationId: Uuid, userId: Uuid): Promise<ReceiptRow | undefined>;
}
