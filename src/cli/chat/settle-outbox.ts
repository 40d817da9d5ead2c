import { systemClock } from "../../base/clock.ts";
import { createSystemRandom } from "../../base/random.ts";
import { safeLine } from "../../base/safe-text.ts";
import type { Invocation } from "../command.ts";
import type { ChatAccount } from "./open-chat.ts";
import { sendLeftovers } from "./send-message.ts";

const timeoutMs = 30_000;

/** What `chat send` left behind goes out while somebody is connected anyway. Never rejects: it stays for the next time. */
export async function settleOutbox(
  { output, interrupted }: Pick<Invocation, "output" | "interrupted">,
  { api, outbox }: ChatAccount,
): Promise<void> {
  const warn = (text: string): void => output.warn(text);
  const clock = systemClock;
  const untilMs = clock.monotonicMs() + timeoutMs;
  try {
    if ((await outbox.entries()).length === 0) return;
    await sendLeftovers({ api, outbox, clock, random: createSystemRandom(), warn, untilMs, interrupted });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`a message of an earlier \`chat send\` still waits: ${safeLine(reason)}`);
  }
}
