import type { ConversationLists } from "../../core/ports/conversation-lists.ts";
import { applyListWrite } from "./apply-list-write.ts";
import type { Environment } from "./environment.ts";
import { prefixEnd, uuidKey, uuidPairKey } from "./keys.ts";
import { lists } from "./list-table.ts";

/** List rows in LMDB: the rows of a user lie side by side, so that reading all of them is one range. */
export function createLmdbConversationLists(environment: Environment): ConversationLists {
  return {
    async all(userId) {
      const start = uuidKey(userId);
      const range = { start, end: prefixEnd(start), entriesMax: Number.MAX_SAFE_INTEGER };
      return environment.range(lists, range).map(({ value }) => value);
    },

    async one(userId, conversationId) {
      return environment.get(lists, uuidPairKey(userId, conversationId));
    },

    async write(writes) {
      await environment.write((transaction) => {
        for (const write of writes) applyListWrite(transaction, write);
      });
    },
  };
}
