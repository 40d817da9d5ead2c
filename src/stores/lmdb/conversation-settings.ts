import type { ConversationSettings } from "../../core/model.ts";
import type { ConversationSettingsStore } from "../../core/ports/users.ts";
import { under } from "./directory-tables.ts";
import type { Environment } from "./environment.ts";
import { uuidKey, uuidOfKey, uuidPairKey } from "./keys.ts";
import { packedTable } from "./packed-table.ts";

/** user, conversation */
const rows = packedTable<Omit<ConversationSettings, "conversationId">>("conversation_settings");

/** How users keep their conversations, in LMDB. */
export function createLmdbConversationSettings(environment: Environment): ConversationSettingsStore {
  return {
    async all(userId) {
      const entries = environment.range(rows, under(uuidKey(userId)));
      return entries.map(({ key, value }) => ({ conversationId: uuidOfKey(key, 16), ...value }));
    },

    write: (userId, { conversationId, mutedUntil, pinned, archived }) =>
      environment.write((transaction) => {
        transaction.put(rows, uuidPairKey(userId, conversationId), { mutedUntil, pinned, archived });
      }),
  };
}
