import type { Receipts } from "../../core/ports/receipts.ts";
import { applyListWrite } from "./apply-list-write.ts";
import { applyReceipt } from "./apply-receipt.ts";
import type { Environment } from "./environment.ts";
import { prefixEnd, uuidKey, uuidPairKey } from "./keys.ts";
import { receipts } from "./receipt-table.ts";

/** Watermarks in LMDB: the members of a conversation lie side by side, so that a group's ticks are one range. */
export function createLmdbReceipts(environment: Environment): Receipts {
  return {
    async write(writes) {
      await environment.write((transaction) => {
        for (const write of writes) applyReceipt(transaction, write);
      });
    },

    async writeWithLists(writes, listWrites) {
      await environment.write((transaction) => {
        for (const write of writes) applyReceipt(transaction, write);
        for (const write of listWrites) applyListWrite(transaction, write);
      });
    },

    async all(conversationId) {
      const start = uuidKey(conversationId);
      const range = { start, end: prefixEnd(start), entriesMax: Number.MAX_SAFE_INTEGER };
      return environment.range(receipts, range).map(({ value }) => value);
    },

    async one(conversationId, userId) {
      return environment.get(receipts, uuidPairKey(conversationId, userId));
    },
  };
}
