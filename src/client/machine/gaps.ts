import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { backoffMs } from "./backoff.ts";
import { receivePage } from "./inbox.ts";
import { skipWhatReceiptsPassed } from "./skip.ts";
import { frontierOf, nextRequest, type ConversationState, type DeviceState } from "./state.ts";
import { requestSync } from "./sync.ts";

/**
 * Finds what is missing and asks for it: one RANGE in flight per conversation, a few per device. Newest first: a hole
 * before held live rows, then the holes between runs from above, then what a refused receipt still needs.
 */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** above: between the newest run and something newer. between: below a run. below: before `start`. */
  readonly place: "above" | "between" | "below";
}

/** The next hole to fill, at most `rowsMax` long; undefined when nothing that is needed is missing. */
export function nextHole(conversation: ConversationState, rowsMax: number): Hole | undefined {
  const frontier = frontierOf(conversation);
  const end = lastReadable(conversation);
  const heldFrom = lowestHeld(conversation);
  const above = heldFrom === undefined ? end : heldFrom - 1;
  if (above > frontier) return { from: frontier + 1, to: Math.min(above, frontier + rowsMax), place: "above" };
  const { runs } = conversation;
  const newest = runs.at(-1);
  if (newest !== undefined) {
    const previous = runs.at(-2)?.[1] ?? conversation.filled;
    const to = newest[0] - 1;
    return { from: Math.max(previous + 1, to - rowsMax + 1), to, place: "between" };
  }
  if (conversation.neededFrom < conversation.start) {
    const to = conversation.start - 1;
    return { from: Math.max(1, conversation.neededFrom, to - rowsMax + 1), to, place: "below" };
  }
  return undefined;
}

/** Sends the next RANGE when it is time. Answers when to call again. */
export function repairGaps(device: DeviceState, conversation: ConversationState, nowMs: number): number {
  // While a sync runs it may be bringing the very rows; its end looks at every conversation again.
  if (device.connectionState !== "ready" || device.syncRequest !== undefined || conversation.closed) return Infinity;
  const { config } = device.environment;
  if (conversation.rangeRequest !== undefined) {
    const overdueAt = conversation.rangeSentAt + config.answerTimeoutMs;
    if (nowMs < overdueAt) return overdueAt;
    endRange(device, conversation);
    postpone(device, conversation, nowMs, 0);
  }
  skipWhatReceiptsPassed(device, conversation);
  const hole = nextHole(conversation, config.rangeRowsMax);
  if (hole === undefined) {
    conversation.gapAt = Infinity;
    conversation.gapAttempts = 0;
    conversation.syncTried = false;
    return Infinity;
  }
  if (conversation.gapAt === Infinity) conversation.gapAt = nowMs + (hole.place === "above" ? config.gapDelayMs : 0);
  if (nowMs < conversation.gapAt) return conversation.gapAt;
  if (needsSync(conversation, hole, config.behindRowsMax) && !conversation.syncTried) {
    conversation.syncTried = true;
    requestSync(device, nowMs);
    return Infinity;
  }
  if (device.rangesInFlight >= config.rangesInFlightMax) {
    (device.rangeWaiters ??= new Set()).add(conversation);
    return Infinity;
  }
  sendRange(device, conversation, hole, nowMs);
  return nowMs + config.answerTimeoutMs;
}

export function acceptRangePage(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"RANGE_PAGE">,
): ConversationState | undefined {
  const conversation = device.conversations.get(frame.conversation_id);
  if (conversation === undefined || conversation.rangeRequest !== frame.request) return undefined;
  endRange(device, conversation);
  if (receivePage(device, conversation, frame)) {
    conversation.gapAttempts = 0;
    conversation.gapAt = nowMs;
  } else postpone(device, conversation, nowMs, 0);
  return conversation;
}

export function acceptRangeError(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"ERROR">,
): ConversationState | undefined {
  for (const conversation of device.conversations.values()) {
    if (conversation.rangeRequest === undefined || conversation.rangeRequest !== frame.request) continue;
    endRange(device, conversation);
    if (frame.temporary) postpone(device, conversation, nowMs, frame.retry_after_ms ?? 0);
    else {
      conversation.closed = true;
      conversation.held = undefined;
    }
    return conversation;
  }
  return undefined;
}

/** Rows above a conversation of which the registers are not known, or far above: the server decides what is worth sending. */
function needsSync(conversation: ConversationState, hole: Hole, behindRowsMax: number): boolean {
  if (hole.place !== "above") return false;
  return !conversation.told || lastReadable(conversation) - frontierOf(conversation) > behindRowsMax;
}

function lastReadable(conversation: ConversationState): number {
  const { left_seq } = conversation.registers;
  return left_seq > 0 ? Math.min(conversation.head, left_seq - 1) : conversation.head;
}

function lowestHeld(conversation: ConversationState): number | undefined {
  if (conversation.held === undefined) return undefined;
  let lowest = Infinity;
  for (const seq of conversation.held.keys()) if (seq < lowest) lowest = seq;
  return lowest === Infinity ? undefined : lowest;
}

function sendRange(device: DeviceState, conversation: ConversationState, hole: Hole, nowMs: number): void {
  conversation.rangeRequest = nextRequest(device, "g");
  conversation.rangeSentAt = nowMs;
  conversation.gapAt = Infinity;
  device.rangesInFlight++;
  device.counters.rangesSent++;
  device.environment.effects.send(device.owner, {
    type: "RANGE",
    request: conversation.rangeRequest,
    conversation_id: conversation.conversationId,
    from: hole.from,
    to: hole.to,
  });
}

function endRange(device: DeviceState, conversation: ConversationState): void {
  conversation.rangeRequest = undefined;
  device.rangesInFlight--;
}

function postpone(device: DeviceState, conversation: ConversationState, nowMs: number, atLeastMs: number): void {
  const { config, random } = device.environment;
  const delay = backoffMs(conversation.gapAttempts++, config.backoffMinMs, config.backoffMaxMs, random);
  conversation.gapAt = nowMs + Math.max(delay, atLeastMs);
}
