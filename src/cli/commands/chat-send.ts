import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { systemClock } from "../../base/clock.ts";
import { createSystemRandom } from "../../base/random.ts";
import { safeLine } from "../../base/safe-text.ts";
import { seqField, timeField, uuidField } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import type { MessageStatus } from "../../protocol/receipt-math.ts";
import { sealPlain, sizeOfEnvelope } from "../../client/envelope.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, textOption } from "../accounts/options.ts";
import { parseDuration } from "../chat/duration.ts";
import { chooseGlyphs } from "../chat/glyphs.ts";
import { exitOf, withChatAccount, type ChatAccount } from "../chat/open-chat.ts";
import { resolveChat } from "../chat/resolve-chat.ts";
import { sendMessage } from "../chat/send-message.ts";
import { waitForStatus } from "../chat/wait-for-status.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";

const statuses = ["sent", "delivered", "read"] as const;

const sentDocument = z.object({
  message_id: uuidField,
  chat: z.string(),
  conversation_id: uuidField,
  seq: seqField,
  sent_at: timeField,
  status: z.enum(statuses),
});

export const chatSendCommand: Command = {
  name: "chat send",
  summary: "Send one message",
  details:
    "Ends when the message is on the server's disk, or later with --wait. A command that was cut off or ended without an answer may be repeated as it was: the message is never sent twice.",
  arguments: [
    { name: "to", description: "@handle, user id, group id, or the name of one of your groups", required: true },
    { name: "text", description: "the message; - or nothing = standard input", required: false, variadic: true },
  ],
  options: [
    { flags: "--file <file>", description: "send what stands in this text file" },
    {
      flags: "--wait <status>",
      description: "sent (default), delivered or read; groups: by everyone",
      choices: statuses,
    },
    { flags: "--timeout <time>", description: "how long to try and wait: 30s (default), 500ms, 2m" },
    ...accountOptions,
  ],
  examples: [
    { command: "msgr chat send @bob See you at six", what: "One message" },
    { command: "make 2>&1 | tail -5 | msgr chat send Builds -", what: "Standard input, to a group" },
    { command: "msgr chat send @bob Ready? --wait read --timeout 2m --json", what: "Until it was read" },
  ],
  output: { schema: sentDocument, lines: false },
  exits: ["configuration", "unreachable", "locked", "interrupted", "terminated"],
  run: explaining((invocation) => withChatAccount(invocation, (account) => send(invocation, account))),
};

const timeoutMsDefault = 30_000;

async function send(invocation: Invocation, account: ChatAccount): Promise<ExitReason> {
  const { output, interrupted, environment } = invocation;
  const { api, names, outbox } = account;
  const timeoutMs = parseDuration("--timeout", textOption(invocation, "timeout"), timeoutMsDefault);
  const untilMs = systemClock.monotonicMs() + timeoutMs;
  const wanted = (textOption(invocation, "wait") ?? "sent") as MessageStatus;
  const text = checkText(await readText(invocation));
  const chat = await resolveChat(api, names, invocation.arguments["to"] as string);
  const warn = (words: string): void => output.warn(words);
  const parts = { api, outbox, clock: systemClock, random: createSystemRandom(), warn, untilMs, interrupted };
  const sent = await sendMessage(parts, chat, text);
  const remainingMs = Math.max(0, untilMs - systemClock.monotonicMs());
  const status = await waitForStatus(api, sent, wanted, remainingMs, interrupted);
  const { message_id, conversation_id, seq, sent_at } = sent;
  const document: z.infer<typeof sentDocument> = {
    message_id,
    chat: chat.label,
    conversation_id,
    seq,
    sent_at,
    status,
  };
  const { ticks } = chooseGlyphs(environment.variables);
  output.data(document, () => `${ticks[status]} ${safeLine(chat.label)} #${seq}`);
  if (status === wanted || status === "read") return "done";
  if (interrupted.aborted) return exitOf(interrupted);
  throw new CliError("failed", `It is ${status}, but was not ${wanted} within ${timeoutMs / 1_000} s.`, {
    fix: "Nothing is lost; a longer --timeout waits longer.",
  });
}

async function readText(invocation: Invocation): Promise<string> {
  const words = (invocation.arguments["text"] ?? []) as readonly string[];
  const file = textOption(invocation, "file");
  const { stdin } = invocation;
  if (file !== undefined) {
    if (words.length === 0) return readTextFile(file);
    throw new CliError("usage", "A text and --file are two messages.", { fix: "Leave one of them out." });
  }
  const isStdin = words.length === 0 || (words.length === 1 && words[0] === "-");
  if (!isStdin) return words.join(" ");
  if (words.length === 0 && stdin.isTTY) {
    throw new CliError("usage", "There is nothing to send.", { fix: "Write the text after the name, or pipe it in." });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > limits.envelopeBytesMax) throw tooLong();
  }
  return decode(Buffer.concat(chunks), "standard input");
}

async function readTextFile(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > limits.envelopeBytesMax) throw tooLong();
    return decode(await readFile(file), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CliError("usage", `${file} cannot be read (${code}).`, { fix: "Correct the path.", cause: error });
  }
}

/** Text only: a file of another kind would arrive as garbage. */
function decode(bytes: Buffer, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch (error) {
    throw new CliError("usage", `${where} is not text in UTF-8.`, {
      fix: "This version sends text only.",
      cause: error,
    });
  }
}

function checkText(text: string): string {
  if (text.trim() === "") throw new CliError("usage", "The message is empty.", { fix: "Write something to send." });
  if (sizeOfEnvelope(sealPlain({ text })) > limits.envelopeBytesMax) throw tooLong();
  return text;
}

function tooLong(): CliError {
  const kibibytes = limits.envelopeBytesMax / 1_024;
  return new CliError("usage", `A message holds at most ${kibibytes} KiB.`, { fix: "Send it in parts." });
}
