import { setTimeout as pause } from "node:timers/promises";
import type { MessageStatus } from "../../protocol/receipt-math.ts";
import type { AccountApi, SentAnswer } from "./account-api.ts";

const pollMinMs = 50;
const pollMaxMs = 1_000;

/**
 * Asks until the message has `wanted`, the time is over, or `interrupted`; answers the status it has then. In a group a
 * status counts when everyone has it; where there is nobody else (notes to oneself), nothing is waited for.
 */
export async function waitForStatus(
  api: AccountApi,
  sent: SentAnswer,
  wanted: MessageStatus,
  timeoutMs: number,
  interrupted: AbortSignal,
): Promise<MessageStatus> {
  const until = performance.now() + timeoutMs;
  for (let delayMs = pollMinMs; ; delayMs = Math.min(delayMs * 1.5, pollMaxMs)) {
    const status = wanted === "sent" ? wanted : await statusNow(api, sent);
    const isReached = status === wanted || status === "read";
    if (isReached || interrupted.aborted || performance.now() + delayMs > until) return status;
    await pause(delayMs, undefined, { signal: interrupted }).catch(() => undefined);
  }
}

async function statusNow(api: AccountApi, { conversation_id, seq }: SentAnswer): Promise<MessageStatus> {
  const { total = 0, delivered = 0, read = 0 } = await api.receipts(conversation_id, seq);
  if (read >= total) return "read";
  return delivered >= total ? "delivered" : "sent";
}
