import type { Uuid } from "../../protocol/ids.ts";
import type { ConversationSettingsStore } from "../../core/ports/users.ts";
import type { Postgres } from "./postgres.ts";
import { statement } from "./statement.ts";

const settingsOfUser = statement(
  "conversation_settings_of_user",
  `SELECT conversation_id, muted_until, pinned, archived FROM conversation_settings WHERE user_id = $1`,
);

const writeSettings = statement(
  "write_conversation_settings",
  `INSERT INTO conversation_settings (user_id, conversation_id, muted_until, pinned, archived)
   VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (user_id, conversation_id) DO UPDATE
   SET muted_until = EXCLUDED.muted_until, pinned = EXCLUDED.pinned, archived = EXCLUDED.archived`,
);

interface SettingsRow {
  readonly conversation_id: Uuid;
  readonly muted_until: number;
  readonly pinned: boolean;
  readonly archived: boolean;
}

/** How users keep their conversations, in PostgreSQL. */
export function createPostgresConversationSettings(postgres: Postgres): ConversationSettingsStore {
  return {
    async all(userId) {
      const { rows } = await postgres.query<SettingsRow>(settingsOfUser, [userId]);
      return rows.map(({ conversation_id: conversationId, muted_until: mutedUntil, pinned, archived }) => ({
        conversationId,
        mutedUntil,
        pinned,
        archived,
      }));
    },

    async write(userId, { conversationId, mutedUntil, pinned, archived }) {
      await postgres.query(writeSettings, [userId, conversationId, mutedUntil, pinned, archived]);
    },
  };
}
