import { z } from "zod";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, textOption } from "../accounts/options.ts";
import { parseCount } from "../chat/duration.ts";
import { chatDocument, formatChats, listChats } from "../chat/list-chats.ts";
import { withChatAccount, type ChatAccount } from "../chat/open-chat.ts";
import { conversationsMax } from "../chat/resolve-chat.ts";
import type { Command, Invocation } from "../command.ts";

export const chatChatsCommand: Command = {
  name: "chat chats",
  summary: "List your chats, most recent first, with what is unread",
  options: [{ flags: "-n, --limit <n>", description: "how many (default 50)" }, ...accountOptions],
  examples: [
    { command: "msgr chat chats", what: "Who wrote last, and how much is unread" },
    { command: "msgr chat chats --json --as carol", what: "For a script, of another account" },
  ],
  output: { schema: z.object({ chats: z.array(chatDocument) }), lines: false },
  exits: ["configuration", "unreachable"],
  run: explaining((invocation) => withChatAccount(invocation, (account) => chats(invocation, account))),
};

async function chats(invocation: Invocation, { api, names }: ChatAccount): Promise<"done"> {
  const { output } = invocation;
  const limit = parseCount("--limit", textOption(invocation, "limit"), 50, conversationsMax);
  const found = await listChats(api, names, limit);
  if (output.json || found.length > 0) {
    output.data({ chats: found }, () => formatChats(found, Date.now(), (text) => output.styleData("bold", text)));
  } else output.talk("No chats yet: `msgr chat @HANDLE` starts one.");
  return "done";
}
