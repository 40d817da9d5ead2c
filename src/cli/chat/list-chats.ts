import { z } from "zod";
import { safeLine } from "../../base/safe-text.ts";
import { timeField, uuidField, watermarkField } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { countUnreadRows, unreadByRegisters, type UnreadCount } from "../../protocol/receipt-math.ts";
import type { AccountApi, Conversation } from "./account-api.ts";
import { forEachOf } from "./for-each-of.ts";
import { formatTime } from "./format-message.ts";
import type { Names } from "./names.ts";
import { chatOf } from "./resolve-chat.ts";

/** A chat as `chat chats` prints it. */
export const chatDocument = z.object({
  /** What `<to>` takes: @handle or the group's name. */
  chat: z.string(),
  conversation_id: uuidField,
  conversation: z.enum(["direct", "group"]),
  user_id: uuidField.optional(),
  unread: z.int().min(0),
  /** There may be more unread than counted. */
  unread_more: z.boolean(),
  last_seq: watermarkField,
  last_at: timeField,
  /** Left or removed: nothing new comes. */
  left: z.boolean(),
});

export type ChatDocument = z.infer<typeof chatDocument>;

/** The own chats, most recent first, at most `countMax`. Rejects with ApiError. */
export async function listChats(api: AccountApi, names: Names, countMax: number): Promise<readonly ChatDocument[]> {
  const conversations = await api.conversations(countMax);
  const documents = new Map<string, ChatDocument>();
  await forEachOf(conversations, async (conversation) => {
    const { conversationId, kind, peerId, registers } = conversation;
    const [chat, unread] = await Promise.all([chatOf(names, conversation), countUnread(api, conversation)]);
    documents.set(conversationId, {
      chat: chat.label,
      conversation_id: conversationId,
      conversation: kind,
      ...(peerId === undefined ? {} : { user_id: peerId }),
      unread: unread.count,
      unread_more: unread.more,
      last_seq: registers.last_seq,
      last_at: registers.last_at,
      left: registers.left_seq > 0,
    });
  });
  return conversations.flatMap(({ conversationId }) => documents.get(conversationId) ?? []);
}

async function countUnread(api: AccountApi, { conversationId, registers }: Conversation): Promise<UnreadCount> {
  const known = unreadByRegisters(registers);
  if (known !== undefined) return known;
  const { messages, from } = await api.history(conversationId, limits.pageRowsMax);
  const counted = countUnreadRows(messages, registers.read_seq, api.account.user_id);
  return from > registers.read_seq + 1 ? { ...counted, more: true } : counted;
}

/** A line a chat: what is unread, who, when. */
export function formatChats(listed: readonly ChatDocument[], nowMs: number, bold: (text: string) => string): string {
  const rows = listed.map((chat) => ({ chat, label: safeLine(chat.chat), unread: unreadText(chat) }));
  const width = Math.min(40, Math.max(...rows.map(({ label }) => label.length)));
  return rows
    .map(({ chat, label, unread }) => {
      const name = label.padEnd(width);
      const note = chat.left ? "  (left)" : "";
      return `${unread.padStart(5)}  ${unread === "" ? name : bold(name)}  ${formatTime(chat.last_at, nowMs)}${note}`;
    })
    .join("\n");
}

function unreadText({ unread, unread_more }: ChatDocument): string {
  if (unread === 0) return "";
  return unread_more ? `${unread}+` : String(unread);
}
