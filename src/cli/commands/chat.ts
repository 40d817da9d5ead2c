import { setTimeout as pause } from "node:timers/promises";
import { safeLine } from "../../base/safe-text.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, textOption } from "../accounts/options.ts";
import { DeviceSession } from "../chat/device-session.ts";
import { parseDuration } from "../chat/duration.ts";
import { chooseGlyphs } from "../chat/glyphs.ts";
import { LineChat } from "../chat/line-chat.ts";
import { pipeInput, terminalInput } from "../chat/line-input.ts";
import { aborted, exitOf, withChatAccount, type ChatAccount } from "../chat/open-chat.ts";
import { arrivedDocument } from "../chat/message-document.ts";
import { settleOutbox } from "../chat/settle-outbox.ts";
import { versionOf } from "../chat/version.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";

export const chatCommand: Command = {
  name: "chat",
  summary: "Chat line by line",
  details:
    "Every line you type is a message; /help lists the commands. Messages of all chats are printed as they come. From a pipe, lines are sent until it ends, and the command ends when the server has them all. What cannot be sent now is kept and goes out with the next `msgr chat` or `msgr chat tail`.",
  arguments: [
    { name: "to", description: "@handle, user id, group id, or the name of one of your groups", required: false },
  ],
  options: [
    { flags: "--timeout <time>", description: "how long to wait at the end for what is unsent: 30s (default), 2m" },
    ...accountOptions,
  ],
  examples: [
    { command: "msgr chat @bob", what: "Talk to @bob" },
    { command: "msgr chat --as carol", what: "As another account, /to chooses the chat" },
    { command: "tail -f app.log | msgr chat Builds", what: "Send lines as they come" },
  ],
  output: { schema: arrivedDocument.partial({ cursor: true }), lines: true },
  exits: ["configuration", "unreachable", "locked", "interrupted", "terminated"],
  run: explaining((invocation) => withChatAccount(invocation, (account) => chat(invocation, account))),
};

const drainMsDefault = 30_000;
const drainPollMs = 20;
const syncTimeoutMs = 3_000;

async function chat(invocation: Invocation, account: ChatAccount): Promise<ExitReason> {
  const { output, stdin, interrupted, environment } = invocation;
  const drainMs = parseDuration("--timeout", textOption(invocation, "timeout"), drainMsDefault);
  const session = await DeviceSession.open(account, versionOf());
  const isTyped = stdin.isTTY && output.stderrIsTerminal;
  const glyphs = chooseGlyphs(environment.variables);
  const { handle, server } = account.choice.account;
  output.talk(
    `You are @${safeLine(handle)} on ${server}. ${isTyped ? "/help shows the commands, Ctrl-D leaves." : ""}`.trim(),
  );
  const input = isTyped
    ? terminalInput(stdin, output.talkSink, () => process.kill(process.pid, "SIGINT"))
    : pipeInput(stdin);
  const isTerminal = isTyped && output.stdoutIsTerminal;
  const lines = new LineChat({ account, session, output, glyphs, input, isTerminal });
  try {
    await lines.begin(invocation.arguments["to"] as string | undefined, syncTimeoutMs);
    void settleOutbox(invocation, account);
    await Promise.race([lines.readLines(), aborted(interrupted), session.ended]);
    // From here on only what is unsent matters; a second signal does not wait for it either.
    await Promise.race([drained(lines, isTyped && lines.unsent() === 0 ? 0 : drainMs), session.ended]);
    return conclude(invocation, lines, isTyped);
  } finally {
    lines.end();
    await session.close(0);
  }
}

async function drained(lines: LineChat, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (lines.unsent() > 0 && performance.now() < until) await pause(drainPollMs);
}

function conclude({ output, interrupted }: Invocation, lines: LineChat, isTyped: boolean): ExitReason {
  const unsent = lines.unsent();
  const words = `${unsent} of your messages wait for the server.`;
  const fix = "They are kept, and go out with the next `msgr chat` or `msgr chat tail`.";
  if (unsent > 0 && !isTyped) throw new CliError("unreachable", words, { fix });
  if (unsent > 0) output.warn(`${words} ${fix}`);
  if (interrupted.aborted) return exitOf(interrupted);
  return !isTyped && lines.failures > 0 ? "failed" : "done";
}
