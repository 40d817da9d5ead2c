import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { backoffMs } from "./backoff.ts";
import { adoptRegisters } from "./adopt-registers.ts";
import { nextRequest, ReceiptState, type ConversationState, type DeviceState } from "./state.ts";

/**
 * What this device owes the server: DELIVERED for rows that are durable here, READ_RECEIPT for rows that the user has
 * viewed. Both are cumulative watermarks, derived from what is held and from the registers last told, never queued: a
 * claim is owed as long as the register does not show it, and what this device has said, or has shown to its user, until
 * that is answered: a register that moved without an answer, as a sync may show it, does not say that others were told.
 * One of each is in flight per conversation.
 */
type ReceiptKind = "delivered" | "read";

/** Own rows need no receipt, but a device that is linked later starts from these watermarks: so they follow, lazily. */
const ownRowsOwedMin = 128;

/** Sends what is due. Answers when to call again. */
export function sendReceipts(device: DeviceState, conversation: ConversationState, nowMs: number): number {
  if (device.connectionState !== "ready") return Infinity;
  return Math.min(
    sendReceipt(device, conversation, "delivered", nowMs),
    sendReceipt(device, conversation, "read", nowMs),
  );
}

export function acceptReceiptAck(
  device: DeviceState,
  frame: ServerFrameOf<"RECEIPT_ACK">,
): ConversationState | undefined {
  const conversation = device.conversations.get(frame.conversation_id);
  if (conversation === undefined) return undefined;
  const kind = kindOfRequest(conversation, frame.request);
  if (kind !== undefined) answered(conversation, kind);
  adoptRegisters(device, conversation, frame.registers);
  if (kind === undefined) return conversation;
  const state = conversation[kind] as ReceiptState;
  state.request = undefined;
  state.attempts = 0;
  if (frame.accepted) return conversation;
  device.counters.receiptsRefused++;
  const watermark = watermarkOf(conversation, kind);
  if (watermark + 1 < conversation.start) conversation.neededFrom = Math.min(conversation.neededFrom, watermark + 1);
  else state.refusedSeq = state.sentSeq;
  return conversation;
}

/** An ERROR to a receipt: temporary ones are tried again, others not before the next connection. */
export function acceptReceiptError(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"ERROR">,
): ConversationState | undefined {
  for (const conversation of device.conversations.values()) {
    const kind = kindOfRequest(conversation, frame.request);
    if (kind === undefined) continue;
    const state = conversation[kind] as ReceiptState;
    state.request = undefined;
    if (frame.temporary) {
      const { config, random } = device.environment;
      const delay = backoffMs(state.attempts++, config.backoffMinMs, config.backoffMaxMs, random);
      state.at = nowMs + Math.max(delay, frame.retry_after_ms ?? 0);
    } else {
      state.refusedSeq = state.sentSeq;
      answered(conversation, kind);
    }
    return conversation;
  }
  return undefined;
}

/** Nothing is owed any more of what the receipt said; persisted with whatever comes next: saying it again is harmless. */
function answered(conversation: ConversationState, kind: ReceiptKind): void {
  const { sentSeq } = conversation[kind] as ReceiptState;
  if (kind === "delivered") {
    if (conversation.deliveredOwed <= sentSeq) conversation.deliveredOwed = 0;
  } else if (conversation.readOwed <= sentSeq) conversation.readOwed = 0;
}

/** What is owed until it is answered, as far as it may be said already; 0 = nothing. */
function owedOf({ readOwed, deliveredOwed, stored }: ConversationState, kind: ReceiptKind): number {
  return kind === "delivered" ? deliveredOwed : Math.min(readOwed, stored);
}

/** The seq that this device may claim by what it holds; not above the watermark = nothing. */
function claimOf(conversation: ConversationState, kind: ReceiptKind): number {
  const { registers, storedForeign, stored, viewed, foreign } = conversation;
  const own = registers.own_seq <= stored ? registers.own_seq : 0;
  if (kind === "delivered") {
    if (storedForeign > stored) return 0;
    if (storedForeign > registers.recv_seq || own - registers.recv_seq >= ownRowsOwedMin) {
      return Math.max(storedForeign, own);
    }
    return 0;
  }
  if (foreign <= registers.read_seq && own - registers.read_seq < ownRowsOwedMin) return 0;
  const newest = Math.max(foreign, own);
  // Read includes delivered: what was seen and is not durable yet could still be lost here.
  return Math.min(viewed, stored, newest);
}

function sendReceipt(device: DeviceState, conversation: ConversationState, kind: ReceiptKind, nowMs: number): number {
  const owed = owedOf(conversation, kind);
  const claim = Math.max(claimOf(conversation, kind), owed);
  const watermark = watermarkOf(conversation, kind);
  if (claim <= watermark && owed === 0) return Infinity;
  const { config } = device.environment;
  const state = (conversation[kind] ??= new ReceiptState());
  if (state.request !== undefined) {
    if (nowMs < state.sentAt + config.answerTimeoutMs) return state.sentAt + config.answerTimeoutMs;
    state.request = undefined;
  }
  if (claim <= state.refusedSeq) return Infinity;
  if (claim > watermark && watermark + 1 < conversation.start) {
    conversation.neededFrom = Math.min(conversation.neededFrom, watermark + 1);
    return Infinity;
  }
  if (state.at === Infinity) state.at = nowMs + config.receiptDelayMs;
  if (nowMs < state.at) return state.at;
  transmit(device, conversation, kind, state, Math.min(watermark + 1, claim), claim, nowMs);
  return nowMs + config.answerTimeoutMs;
}

function transmit(
  device: DeviceState,
  conversation: ConversationState,
  kind: ReceiptKind,
  state: ReceiptState,
  from: number,
  seq: number,
  nowMs: number,
): void {
  state.request = nextRequest(device, kind === "delivered" ? "d" : "r");
  state.sentAt = nowMs;
  state.sentSeq = seq;
  state.at = Infinity;
  if (kind === "delivered") conversation.deliveredOwed = seq;
  device.counters.receiptsSent++;
  device.environment.effects.send(device.owner, {
    type: kind === "delivered" ? "DELIVERED" : "READ_RECEIPT",
    request: state.request,
    conversation_id: conversation.conversationId,
    from,
    seq,
  });
}

function kindOfRequest(conversation: ConversationState, request: string | undefined): ReceiptKind | undefined {
  if (request === undefined) return undefined;
  if (conversation.delivered?.request === request) return "delivered";
  return conversation.read?.request === request ? "read" : undefined;
}

function watermarkOf(conversation: ConversationState, kind: ReceiptKind): number {
  return kind === "delivered" ? conversation.registers.recv_seq : conversation.registers.read_seq;
}
