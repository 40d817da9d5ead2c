import { setTimeout as pause } from "node:timers/promises";
import { safeLine } from "../../base/safe-text.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { createUuidV7 } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { sealPlain } from "../../client/envelope.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { CliError } from "../cli-error.ts";
import type { AccountApi, SentAnswer } from "./account-api.ts";
import { outboxEntriesMax, type Outbox, type OutboxEntry } from "./outbox.ts";
import type { Chat } from "./resolve-chat.ts";

export interface SendParts {
  readonly api: AccountApi;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  /** Tells the user something that is no failure of this command. */
  readonly warn: (text: string) => void;
  /** Until when a temporary failure is tried again, monotonic ms. */
  readonly untilMs: number;
  readonly interrupted: AbortSignal;
}

/**
 * Sends one message over HTTP, after what earlier commands left. The entry is on this machine's disk before its first
 * attempt, and goes away with an answer: what was cut off in between is taken up by the next call, which repeats the same
 * message_id and `since`, so that it is stored once. The same text to the same chat counts as a repeat of what was left.
 * Throws CliError and ApiError.
 */
export function sendMessage(parts: SendParts, chat: Chat, text: string): Promise<SentAnswer> {
  const { api, outbox, clock, random } = parts;
  const envelope = sealPlain({ text });
  return outbox.exclusively(remainingMs(parts), async () => {
    const left = await outbox.entries();
    if (left.length >= outboxEntriesMax) throw full();
    const repeat = left.find((entry) => entry.conversation_id === chat.conversationId && entry.envelope === envelope);
    for (const entry of left) {
      if (entry === repeat) return attempt(parts, entry, true);
      await settleLeft(parts, entry);
    }
    const entry: OutboxEntry = {
      message_id: createUuidV7(clock.nowMs(), random),
      to: chat.to,
      conversation_id: chat.conversationId,
      since: await api.head(chat.conversationId),
      kind: kinds.text,
      envelope,
      created_at: clock.nowMs(),
      label: chat.label,
    };
    await outbox.put(entry);
    return attempt(parts, entry, false);
  });
}

/** Sends what earlier commands left, so that nothing waits for the next `chat send`. Throws as sendMessage does. */
export async function sendLeftovers(parts: SendParts): Promise<void> {
  await parts.outbox.exclusively(remainingMs(parts), async () => {
    for (const entry of await parts.outbox.entries()) await settleLeft(parts, entry);
  });
}

/** A message of an earlier command: its final refusal concerns the user, not this command. */
async function settleLeft(parts: SendParts, entry: OutboxEntry): Promise<void> {
  try {
    await attempt(parts, entry, true);
  } catch (error) {
    if (!(error instanceof ApiError) || error.temporary || error.status === 401) throw error;
    const when = new Date(entry.created_at).toISOString();
    const fate = error.code === "stale_since" ? "may or may not have been sent" : "was not sent";
    parts.warn(`a message of ${when} to ${safeLine(entry.label)} ${fate}: ${safeLine(error.message)}`);
  }
}

const retryMinMs = 200;
const retryMaxMs = 5_000;

/**
 * Until there is an answer, or the time is over. The entry stays if, and only if, it may have reached the server: what
 * certainly did not is dropped, so that a command that failed does nothing later.
 */
async function attempt(parts: SendParts, entry: OutboxEntry, mayBeThere: boolean): Promise<SentAnswer> {
  const { api, outbox } = parts;
  const { message_id, to, since, kind, envelope } = entry;
  let undecided = mayBeThere;
  for (let delayMs = retryMinMs; ; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
    try {
      const answer = await api.send({ message_id, to, since, kind, envelope });
      await outbox.remove(message_id);
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What the account lacks can be mended; the message itself was not judged.
      const isFinal = !error.temporary && error.status !== 401;
      undecided ||= mayHaveArrived(error);
      const wait = Math.max(delayMs, error.retryAfterMs ?? 0);
      const mayRetry = error.temporary && !isRefusedConnection(error) && remainingMs(parts) > wait;
      if (mayRetry && !parts.interrupted.aborted) {
        await pause(wait, undefined, { signal: parts.interrupted }).catch(() => undefined);
        continue;
      }
      if (isFinal || !undecided) await outbox.remove(message_id);
      throw isFinal || !undecided ? error : keptError(error);
    }
  }
}

/** After which the message may be in the log: no answer at all, or one that does not exclude it. */
function mayHaveArrived(error: ApiError): boolean {
  if (error.code === "unreachable") return !isRefusedConnection(error);
  return error.status >= 500 && error.code !== "draining" && error.code !== "overloaded";
}

const refusals = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** No connection came about, so nothing was sent over it. */
function isRefusedConnection(error: ApiError): boolean {
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (refusals.has((cause as NodeJS.ErrnoException).code ?? "")) return true;
  }
  return false;
}

function remainingMs({ clock, untilMs }: SendParts): number {
  return Math.max(0, untilMs - clock.monotonicMs());
}

function keptError(cause: ApiError): CliError {
  return new CliError(
    "unreachable",
    `There was no answer, so the message may have been sent: ${safeLine(cause.message)}`,
    {
      fix: "Run the same command again: it asks for the fate of this message and never sends it twice.",
      cause,
    },
  );
}

function full(): CliError {
  return new CliError("failed", `${outboxEntriesMax} messages wait for an answer already.`, {
    fix: "Check the server; `msgr chat send` sends them first.",
  });
}
