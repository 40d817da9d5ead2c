import { safeLine } from "../../base/safe-text.ts";
import { didYouMean } from "../../base/did-you-mean.ts";
import { limits } from "../../protocol/limits.ts";
import { CliError } from "../cli-error.ts";
import { nowMs } from "./device-session.ts";
import { formatGroup } from "./group-actions.ts";
import type { LineHost } from "./line-host.ts";
import { formatChats, listChats } from "./list-chats.ts";
import { groupChat, type Chat } from "./resolve-chat.ts";
import { splitWords } from "./split-words.ts";

/** What a line may say to msgr rather than to the chat; the help is made from this table. */
interface LineCommand {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly run: (chat: LineHost, words: readonly string[]) => Promise<void>;
}

const chatsShown = 30;

const lineCommands: readonly LineCommand[] = [
  { name: "help", usage: "/help", summary: "show this", run: (chat) => say(chat, helpText()) },
  {
    name: "to",
    usage: "/to CHAT",
    summary: "talk to @handle, an id, or one of your groups",
    run: (chat, words) => chat.openByName(needed(words, "/to @handle or /to GROUP").join(" ")),
  },
  {
    name: "chats",
    usage: "/chats",
    summary: "list your chats",
    async run(chat) {
      const listed = await listChats(chat.account.api, chat.account.names, chatsShown);
      await say(chat, listed.length === 0 ? "No chats yet." : formatChats(listed, nowMs(), (text) => text));
    },
  },
  {
    name: "history",
    usage: "/history [N]",
    summary: "show the last N messages (20)",
    run: (chat, words) => chat.showHistory(Math.min(Number(words[0] ?? 20) || 20, limits.pageRowsMax)),
  },
  { name: "who", usage: "/who", summary: "show who is here, and who is online", run: who },
  {
    name: "group",
    usage: "/group create NAME [@who…] | add @who… | remove @who… | rename NAME | leave | info",
    summary: "make a group, or change the one you talk to",
    run: group,
  },
  {
    name: "quit",
    usage: "/quit",
    summary: "leave (also Ctrl-D)",
    run(chat) {
      chat.quit();
      return Promise.resolve();
    },
  },
];

/** Runs a line that begins with a slash. Throws CliError and ApiError. */
export async function runLineCommand(chat: LineHost, line: string): Promise<void> {
  const [name = "", ...words] = splitWords(line.slice(1));
  const command = lineCommands.find((each) => each.name === name);
  if (command !== undefined) return command.run(chat, words);
  const guess = didYouMean(
    name,
    lineCommands.map((each) => each.name),
  );
  throw new CliError("usage", `There is no command /${safeLine(name)}.`, {
    fix:
      guess === undefined
        ? "/help lists them; to send a line that begins with /, write //."
        : `Did you mean /${guess}?`,
  });
}

function helpText(): string {
  const lines = lineCommands.map(({ usage, summary }) => `  ${usage}\n      ${summary}`);
  return [...lines, "  //text", "      send a line that begins with a slash"].join("\n");
}

async function who(chat: LineHost): Promise<void> {
  const { api } = chat.account;
  const { to, label, conversationId } = chat.needCurrent();
  if ("user" in to) {
    const isOnline = (await api.online([to.user])).has(to.user);
    return say(chat, `${safeLine(label)}: ${isOnline ? "online" : "not online, or not showing it"}`);
  }
  const document = await chat.groups.describe(await chat.groups.info(conversationId));
  return say(chat, formatGroup(document, await api.online(document.members.map(({ user_id }) => user_id))));
}

async function group(chat: LineHost, [verb = "info", ...words]: readonly string[]): Promise<void> {
  const { groups } = chat;
  if (verb === "create") {
    const [name = "", ...people] = needed(words, "/group create NAME @who…");
    const made = await groups.create(name, people);
    return chat.open(groupChat(made.groupId, made.name));
  }
  const { conversationId } = needGroup(chat);
  switch (verb) {
    case "add":
      await groups.add(conversationId, needed(words, "/group add @who…"));
      return;
    case "remove":
      await groups.remove(conversationId, needed(words, "/group remove @who…"));
      return;
    case "rename":
      chat.renamed((await groups.rename(conversationId, needed(words, "/group rename NAME").join(" "))).name);
      return;
    case "leave":
      await groups.leave(conversationId);
      chat.closeCurrent();
      return;
    case "info":
      return who(chat);
    default:
      throw new CliError("usage", `/group cannot ${safeLine(verb)}.`, {
        fix: "It knows create, add, remove, rename, leave and info.",
      });
  }
}

function needGroup(chat: LineHost): Chat {
  const current = chat.needCurrent();
  if (current.kind === "group") return current;
  throw new CliError("usage", `${safeLine(current.label)} is a person, not a group.`, { fix: "/to GROUP first." });
}

function needed(words: readonly string[], usage: string): readonly string[] {
  if (words.length > 0) return words;
  throw new CliError("usage", "Something is missing.", { fix: `Write ${usage}.` });
}

function say(chat: LineHost, text: string): Promise<void> {
  chat.say(text);
  return Promise.resolve();
}
