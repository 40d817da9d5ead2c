import { mergeListRow } from "../../core/lists/merge-list-row.ts";
import type { ListWrite } from "../../core/model.ts";
import type { Transaction } from "./batch.ts";
import { uuidPairKey } from "./keys.ts";
import { lists } from "./list-table.ts";

/**
 * Merges one write into its list row. A write that changes nothing is not stored again: what the transaction sees is
 * durable already or becomes so in the same commit.
 */
export function applyListWrite(transaction: Transaction, write: ListWrite): void {
  const key = uuidPairKey(write.userId, write.conversationId);
  const row = transaction.get(lists, key);
  const merged = mergeListRow(row, write);
  if (merged !== undefined && merged !== row) transaction.put(lists, key, merged);
}
