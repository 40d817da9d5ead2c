import type { z } from "zod";
import { isVoid } from "../../protocol/fields.ts";
import { systemClock } from "../../base/clock.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, textOption } from "../accounts/options.ts";
import { ConnectionTalk } from "../chat/connection-talk.ts";
import { contextOf } from "../chat/describe-arrival.ts";
import { DeviceSession, type ArrivedMessage } from "../chat/device-session.ts";
import { formatMessage } from "../chat/format-message.ts";
import { chooseGlyphs } from "../chat/glyphs.ts";
import { arrivedDocument, describeMessage, systemNames } from "../chat/message-document.ts";
import { aborted, exitOf, withChatAccount, type ChatAccount } from "../chat/open-chat.ts";
import { settleOutbox } from "../chat/settle-outbox.ts";
import { versionOf } from "../chat/version.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";

export const chatTailCommand: Command = {
  name: "chat tail",
  summary: "Print messages as they arrive",
  details:
    "Prints what this device did not have yet, then whatever comes, of all chats, until Ctrl-C. Senders see that it was delivered, not that it was read. With --since it goes on behind a line that was printed before, also over restarts.",
  options: [
    { flags: "--since <cursor>", description: "go on behind this `cursor` of a line; start = everything held here" },
    ...accountOptions,
  ],
  examples: [
    { command: "msgr chat tail", what: "Watch what comes in" },
    { command: 'msgr chat tail --json --since "$(cat cursor)"', what: "For a bot: a line of JSON a message" },
  ],
  output: { schema: arrivedDocument, lines: true },
  exits: ["configuration", "unreachable", "locked", "interrupted", "terminated"],
  run: explaining((invocation) => withChatAccount(invocation, (account) => tail(invocation, account))),
};

async function tail(invocation: Invocation, account: ChatAccount): Promise<ExitReason> {
  const { output, interrupted, environment } = invocation;
  await requireServer(account);
  const session = await DeviceSession.open(account, versionOf());
  const talk = new ConnectionTalk((text) => output.talk(text));
  try {
    const cursor = textOption(invocation, "since");
    const since = cursor === undefined ? undefined : session.position(cursor);
    session.client.onEvent((event) => talk.hear(event));
    const glyphs = chooseGlyphs(environment.variables);
    session.listen(since, (message) => print(invocation, account, session, glyphs, message));
    session.client.connect();
    void settleOutbox(invocation, account);
    await Promise.race([aborted(interrupted), session.ended]);
    return exitOf(interrupted);
  } finally {
    talk.end();
    await session.close(0);
  }
}

async function print(
  { output }: Invocation,
  { names }: ChatAccount,
  session: DeviceSession,
  glyphs: ReturnType<typeof chooseGlyphs>,
  message: ArrivedMessage,
): Promise<void> {
  const context = await contextOf(session, names, message);
  const described = await describeMessage(context, message.row);
  if (described === undefined || isVoid(message.row)) return;
  const document: z.infer<typeof arrivedDocument> = { ...described, cursor: message.cursor };
  if (output.json) {
    output.data(document, () => "");
    return;
  }
  const people = await systemNames(names, described);
  const style = { glyphs, paint: output.styleData.bind(output), nowMs: systemClock.nowMs(), people };
  output.data(document, () => formatMessage(described, style));
}

/** A script wants to hear at once that there is nobody to talk to; later interruptions are waited out. */
async function requireServer({ api }: ChatAccount): Promise<void> {
  await api.conversations(1);
}
