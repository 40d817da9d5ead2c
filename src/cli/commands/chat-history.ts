import { z } from "zod";
import { isVoid } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { countReceipts, groupMessageStatus, type MessageStatus } from "../../protocol/receipt-math.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, textOption } from "../accounts/options.ts";
import type { AccountApi } from "../chat/account-api.ts";
import { parseCount } from "../chat/duration.ts";
import { formatMessage } from "../chat/format-message.ts";
import { chooseGlyphs } from "../chat/glyphs.ts";
import { describeMessage, messageDocument, systemNames, type MessageDocument } from "../chat/message-document.ts";
import { withChatAccount, type ChatAccount } from "../chat/open-chat.ts";
import { resolveChat, type Chat } from "../chat/resolve-chat.ts";
import type { Command, Invocation } from "../command.ts";

const historyDocument = z.object({
  chat: z.string(),
  conversation_id: z.string(),
  messages: z.array(messageDocument),
  has_more: z.boolean(),
  /** For --before, to go on with older ones. */
  next_before: z.number().optional(),
});

export const chatHistoryCommand: Command = {
  name: "chat history",
  summary: "Print messages of a chat, oldest first",
  details: "Reading them here does not mark them as read.",
  arguments: [{ name: "chat", description: "@handle, id, or the name of one of your groups", required: true }],
  options: [
    { flags: "-n, --limit <n>", description: `how many, 1 to ${limits.pageRowsMax} (default 20)` },
    { flags: "--before <seq>", description: "only messages with a lower number" },
    ...accountOptions,
  ],
  examples: [
    { command: "msgr chat history @bob", what: "The last 20 messages" },
    { command: "msgr chat history Builds -n 200 --json", what: "As JSON, with the number to go on from" },
  ],
  output: { schema: historyDocument, lines: false },
  exits: ["configuration", "unreachable"],
  run: explaining((invocation) => withChatAccount(invocation, (account) => history(invocation, account))),
};

async function history(invocation: Invocation, { api, names }: ChatAccount): Promise<"done"> {
  const { output, environment } = invocation;
  const limit = parseCount("--limit", textOption(invocation, "limit"), 20, limits.pageRowsMax);
  const beforeText = textOption(invocation, "before");
  const before = beforeText === undefined ? undefined : parseCount("--before", beforeText, 1, Number.MAX_SAFE_INTEGER);
  const chat = await resolveChat(api, names, invocation.arguments["chat"] as string);
  const page = await readPage(api, chat, limit, before);
  const status = await ticksOf(
    api,
    chat,
    page.messages.some((row) => !isVoid(row) && row.sender.user === api.account.user_id),
  );
  const messages: MessageDocument[] = [];
  const lines: string[] = [];
  const glyphs = chooseGlyphs(environment.variables);
  for (const row of page.messages) {
    const described = await describeMessage({ names, ownId: api.account.user_id, chat }, row);
    if (described === undefined || isVoid(row)) continue;
    const message =
      described.own && described.kind !== "system"
        ? { ...described, status: status(row.seq, row.max_status) }
        : described;
    messages.push(message);
    const people = await systemNames(names, message);
    const style = {
      glyphs,
      paint: output.styleData.bind(output),
      nowMs: Date.now(),
      currentId: chat.conversationId,
      people,
    };
    if (!output.json) lines.push(formatMessage(message, style));
  }
  const next = page.has_more ? { next_before: page.from } : {};
  const document: z.infer<typeof historyDocument> = {
    chat: chat.label,
    conversation_id: chat.conversationId,
    messages,
    has_more: page.has_more,
    ...next,
  };
  if (output.json || lines.length > 0) output.data(document, () => lines.join("\n"));
  else output.talk("No messages yet.");
  if (page.has_more && !output.json) output.talk(`Older ones: --before ${page.from}`);
  return "done";
}

async function readPage(api: AccountApi, chat: Chat, limit: number, before: number | undefined) {
  try {
    return await api.history(chat.conversationId, limit, before);
  } catch (error) {
    // A person to whom nobody has written yet.
    const isNew = error instanceof ApiError && error.code === "no_such_conversation" && chat.kind === "direct";
    if (isNew) return { messages: [], from: 1, to: 0, has_more: false };
    throw error;
  }
}

type StatusOf = (seq: number, maxStatus: "sent" | undefined) => MessageStatus;

/** Ticks of own messages by everyone's watermarks, which are asked for once. */
async function ticksOf(api: AccountApi, chat: Chat, isNeeded: boolean): Promise<StatusOf> {
  if (!isNeeded) return () => "sent";
  const { members } = await api.receipts(chat.conversationId);
  const watermarks = members.map((member) => ({
    userId: member.user_id,
    recvSeq: member.recv_seq,
    readSeq: member.read_seq,
    joinedSeq: member.joined_seq,
    leftSeq: member.left_seq,
  }));
  return (seq, maxStatus) => maxStatus ?? groupMessageStatus(countReceipts(watermarks, api.account.user_id, seq));
}
