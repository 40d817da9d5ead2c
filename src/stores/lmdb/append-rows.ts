import { assert } from "../../base/assert.ts";
import type { AppendOutcome, AppendRequest } from "../../core/ports/message-log.ts";
import { applyListWrite } from "./apply-list-write.ts";
import { applyReceipt } from "./apply-receipt.ts";
import type { Transaction } from "./batch.ts";
import { uuidDescendingKey } from "./keys.ts";
import { buckets, messages } from "./log-tables.ts";

/** One append as one operation: the condition, the rows, the statics, the list rows and the receipts, or nothing. */
export function appendRows(transaction: Transaction, request: AppendRequest): AppendOutcome {
  const { conversationId, bucket, expect, opens, rows, membership, lists, receipts } = request;
  const bucketKey = uuidDescendingKey(conversationId, bucket);
  const actual = transaction.get(buckets, bucketKey);
  const holds = opens
    ? actual === undefined
    : actual !== undefined && actual.head === expect.head && actual.membership === expect.membership;
  if (!holds) return { outcome: "conflict", actual };
  if (opens && bucket > 0) {
    const previous = transaction.get(buckets, uuidDescendingKey(conversationId, bucket - 1));
    assert(previous?.head === expect.head, "a bucket opens after the one before it was read full");
    assert(previous.membership === expect.membership, "a full bucket's membership does not change");
  }
  for (const row of rows) transaction.insert(messages, uuidDescendingKey(conversationId, row.seq), row);
  const last = rows.at(-1);
  assert(last !== undefined, "an append has rows");
  transaction.put(buckets, bucketKey, {
    head: last.seq,
    headUcount: last.ucount,
    headAt: last.sentAt,
    membership,
  });
  for (const write of lists) applyListWrite(transaction, write);
  if (receipts !== undefined) for (const write of receipts) applyReceipt(transaction, write);
  return { outcome: "appended" };
}
