import type { ReceiptWrite } from "../../core/ports/receipts.ts";
import { mergeReceipt } from "../../core/receipts/merge-receipt.ts";
import type { Transaction } from "./batch.ts";
import { uuidPairKey } from "./keys.ts";
import { receipts } from "./receipt-table.ts";

/** What changes nothing is durable already, or becomes so in the same commit. */
export function applyReceipt(transaction: Transaction, write: ReceiptWrite): void {
  const key = uuidPairKey(write.conversationId, write.userId);
  const row = transaction.get(receipts, key);
  const merged = mergeReceipt(row, write);
  if (merged !== row) transaction.put(receipts, key, merged);
}
