import { directConversationId, uuidVersion, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { SendMessageFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { backoffMs } from "./backoff.ts";
import { dropConnection } from "./connection-end.ts";
import { receiveRow } from "./inbox.ts";
import { recall } from "./outbox-recall.ts";
import { settle, unqueue } from "./outbox-settle.ts";
import { persistPending, persistRemoval } from "./persist.ts";
import { nextRequest, obtainConversation, PendingSend, type ConversationState, type DeviceState } from "./state.ts";
import type { DiscardOutcome, MessageToSend, OutboxEntry, SendOutcome } from "./types.ts";

/**
 * Messages on their way to the log. Each is persisted before its first send and keeps its message_id and `since` on every
 * retry, so that the server can tell a retry from a new message. Per conversation they go out in order, several at a time;
 * after a temporary error everything from the failed one on is sent again, since the server refuses what follows it.
 *
 *   queued → in flight → settled (ACK, or its row arrives)
 *                      → queued (temporary error, no answer, connection lost: may be in the log, cannot be dropped)
 *                      → failed (permanent error) | unknown (stale_since, or an earlier attempt got no answer): kept until
 *                        the user decides
 */
export function enqueue(device: DeviceState, message: MessageToSend): SendOutcome {
  const outbox = (device.outbox ??= new Map());
  if (outbox.has(message.messageId)) return "duplicate_id";
  if (outbox.size >= device.environment.config.outboxEntriesMax) return "outbox_full";
  const conversation = conversationOf(device, message.to);
  const view = viewedRun(conversation);
  const pending = new PendingSend(
    {
      messageId: message.messageId,
      conversationId: conversation.conversationId,
      to: message.to,
      since: conversation.head,
      readFrom: view?.[0],
      read: view?.[1],
      kind: message.kind,
      mediaId: message.mediaId,
      envelope: message.envelope,
      createdAt: message.createdAt,
      order: device.orderCounter++,
      state: "pending",
      errorCode: undefined,
    },
    false,
  );
  outbox.set(message.messageId, pending);
  (conversation.queue ??= []).push(pending);
  persistPending(device, pending);
  return "queued";
}

/** Entries of an earlier process, in their order. Any of them may have been sent. */
export function restoreOutbox(device: DeviceState, entries: readonly OutboxEntry[]): void {
  for (const entry of entries.toSorted((one, other) => one.order - other.order)) {
    const pending = new PendingSend(entry, true);
    (device.outbox ??= new Map()).set(entry.messageId, pending);
    device.orderCounter = entry.order + 1;
    const conversation = conversationOf(device, entry.to);
    if (entry.state === "pending") (conversation.queue ??= []).push(pending);
  }
}

export function discard(device: DeviceState, messageId: string): DiscardOutcome {
  const pending = device.outbox?.get(messageId);
  if (pending === undefined) return "no_such_message";
  if (pending.entry.state === "pending" && (pending.undecided || pending.request !== undefined)) return "undecided";
  const conversation = obtainConversation(device, pending.entry.conversationId);
  unqueue(device, conversation, pending);
  device.outbox?.delete(messageId);
  persistRemoval(device, pending);
  return "discarded";
}

/** Only what has a final answer, or none that it could have, may go out under another id: else it could be there twice. */
export function sendAgain(device: DeviceState, messageId: string, newMessageId: string): boolean {
  const pending = device.outbox?.get(messageId);
  if (pending === undefined || pending.entry.state === "pending" || device.outbox?.has(newMessageId)) return false;
  const { to, kind, mediaId, envelope, createdAt } = pending.entry;
  discard(device, messageId);
  const message = { messageId: newMessageId, to, kind, envelope, createdAt };
  return enqueue(device, mediaId === undefined ? message : { ...message, mediaId }) === "queued";
}

/** Sends as far as the windows allow. Answers when to call again. */
export function pump(device: DeviceState, conversation: ConversationState, nowMs: number): number {
  const { queue } = conversation;
  if (queue === undefined || device.connectionState !== "ready") return Infinity;
  const { config } = device.environment;
  const overdueAt = resendOverdue(device, conversation, nowMs);
  if (nowMs < conversation.retryAt) return Math.min(overdueAt, conversation.retryAt);
  const window = Math.min(queue.length, conversation.window, config.sendWindowPerConversation);
  while (conversation.queueSent < window) {
    const pending = queue[conversation.queueSent] as PendingSend;
    if (!pending.stored) break;
    if (pending.attempted && mustWaitForSync(device, conversation, pending, nowMs)) return device.holdUntil;
    if (device.sendsInFlight >= config.sendWindowPerConnection) {
      (device.windowWaiters ??= new Set()).add(conversation);
      break;
    }
    transmit(device, conversation, pending, nowMs);
  }
  return conversation.queueSent === 0 ? Infinity : Math.min(overdueAt, nowMs + config.answerTimeoutMs);
}

/** An ACK; also of an earlier attempt, or of a message that its own row has settled before. */
export function acceptAck(device: DeviceState, frame: ServerFrameOf<"ACK">): ConversationState | undefined {
  const pending = device.outbox?.get(frame.message_id);
  if (pending === undefined) return undefined;
  const conversation = obtainConversation(device, pending.entry.conversationId);
  conversation.retryAttempts = 0;
  conversation.window++;
  const { entry } = pending;
  settle(device, conversation, pending, frame.seq, frame.sent_at, frame.max_status);
  receiveRow(device, conversation, {
    seq: frame.seq,
    message_id: entry.messageId,
    sender: { user: device.userId, device: device.device },
    sent_at: frame.sent_at,
    kind: entry.kind,
    envelope: entry.envelope,
    ucount: frame.ucount,
    ...(entry.mediaId === undefined ? {} : { media_id: entry.mediaId }),
    ...(frame.max_status === undefined ? {} : { max_status: frame.max_status }),
  });
  return conversation;
}

/** An ERROR whose request is that of a send in flight. */
export function acceptSendError(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"ERROR">,
): ConversationState | undefined {
  const pending = findInFlight(device, frame.request);
  if (pending === undefined) return undefined;
  const conversation = obtainConversation(device, pending.entry.conversationId);
  if (frame.temporary || frame.undecided === true) postpone(device, conversation, pending, nowMs, frame);
  else if (frame.code === "stale_since" && raiseSince(conversation, pending)) recall(device, conversation, pending);
  else giveUp(device, conversation, pending, frame);
  return conversation;
}

function conversationOf(device: DeviceState, to: OutboxEntry["to"]): ConversationState {
  if ("conversation" in to) {
    const named = obtainConversation(device, to.conversation);
    if (uuidVersion(to.conversation) === 7) named.kind = "group";
    return named;
  }
  const directs = (device.directs ??= new Map<Uuid, ConversationState>());
  const known = directs.get(to.user);
  if (known !== undefined) return known;
  const conversation = obtainConversation(device, directConversationId(device.userId, to.user));
  conversation.kind = "direct";
  conversation.peerId = to.user;
  directs.set(to.user, conversation);
  return conversation;
}

/**
 * What the user has viewed, as the run that SEND_MESSAGE carries: it must touch the read watermark. Not while rows of
 * others are among it: a READ_RECEIPT is owed for those anyway, and the server need not tell everyone twice.
 */
function viewedRun(conversation: ConversationState): readonly [number, number] | undefined {
  const { viewed, foreign, registers } = conversation;
  if (viewed === 0 || foreign > registers.read_seq) return undefined;
  return [Math.max(1, Math.min(viewed, registers.read_seq + 1)), viewed];
}

/**
 * A retry on a new connection waits for what happened meanwhile: its own row may be among it, and every row received
 * raises `since`, which spares the server the proof and keeps the message from becoming stale.
 */
function mustWaitForSync(
  device: DeviceState,
  conversation: ConversationState,
  pending: PendingSend,
  nowMs: number,
): boolean {
  if (nowMs >= device.holdUntil) return false;
  const behind = conversation.head - pending.entry.since;
  return !device.synced || (behind > limits.dedupeRowsMax / 2 && conversation.filled < conversation.head);
}

function transmit(device: DeviceState, conversation: ConversationState, pending: PendingSend, nowMs: number): void {
  if (pending.attempted) {
    device.counters.resends++;
    raiseSince(conversation, pending);
  } else if (pending.entry.since !== conversation.head) {
    // It never left this device, so it is in no row up to any head that is known now.
    pending.entry = { ...pending.entry, since: conversation.head };
  }
  const { entry } = pending;
  pending.attempted = true;
  pending.request = nextRequest(device, "m");
  pending.sentAt = nowMs;
  conversation.queueSent++;
  device.sendsInFlight++;
  const frame: SendMessageFrame = {
    type: "SEND_MESSAGE",
    request: pending.request,
    to: entry.to,
    message_id: entry.messageId,
    since: entry.since,
    kind: entry.kind,
    envelope: entry.envelope,
  };
  if (entry.mediaId !== undefined) frame.media_id = entry.mediaId;
  if (entry.readFrom !== undefined && entry.read !== undefined) {
    frame.read_from = entry.readFrom;
    frame.read = entry.read;
  }
  device.environment.effects.send(device.owner, frame);
}

/**
 * Every row of (since, filled] arrived here as a row or a void and was not this message (it would be settled): so the
 * server need not look there again. Gone, unreadable and skipped rows prove nothing; `proven` stays above them.
 */
function raiseSince(conversation: ConversationState, pending: PendingSend): boolean {
  const { since } = pending.entry;
  if (since < conversation.proven || since >= conversation.filled) return false;
  pending.entry = { ...pending.entry, since: conversation.filled };
  return true;
}

function resendOverdue(device: DeviceState, conversation: ConversationState, nowMs: number): number {
  const first = conversation.queue?.[0];
  if (first?.request === undefined) return Infinity;
  const overdueAt = first.sentAt + device.environment.config.answerTimeoutMs;
  if (nowMs < overdueAt) return overdueAt;
  first.undecided = true;
  recall(device, conversation, first);
  return Infinity;
}

function postpone(
  device: DeviceState,
  conversation: ConversationState,
  pending: PendingSend,
  nowMs: number,
  frame: ServerFrameOf<"ERROR">,
): void {
  // Sticky: an attempt that was refused says nothing about an earlier one that got no answer.
  pending.undecided ||= frame.undecided === true;
  if (frame.code === "out_of_order" && conversation.queue?.[0] === pending) {
    // The server waits for a message that this device has dropped; only a new connection forgets it.
    dropConnection(device, nowMs, "gate");
    return;
  }
  recall(device, conversation, pending);
  // A server that has no room, or counts, refuses the whole window behind the failed one: so the next try is small.
  conversation.window = 1;
  const { config, random, effects } = device.environment;
  const delay = backoffMs(conversation.retryAttempts++, config.backoffMinMs, config.backoffMaxMs, random);
  conversation.retryAt = Math.max(conversation.retryAt, nowMs + Math.max(delay, frame.retry_after_ms ?? 0));
  const { messageId } = pending.entry;
  const { code } = frame;
  effects.emit(device.owner, { type: "send_delayed", messageId, code, retryAtMs: conversation.retryAt });
}

function giveUp(
  device: DeviceState,
  conversation: ConversationState,
  pending: PendingSend,
  frame: ServerFrameOf<"ERROR">,
): void {
  const { code, message } = frame;
  // An earlier attempt that got no answer may still be on its way through a server that stood still.
  const state = code === "stale_since" || pending.undecided ? "unknown" : "failed";
  unqueue(device, conversation, pending);
  // An answer as good as an ACK: whatever made earlier attempts wait is over.
  conversation.retryAttempts = 0;
  conversation.window++;
  pending.undecided = false;
  pending.entry = { ...pending.entry, state, errorCode: code };
  persistPending(device, pending);
  const { messageId, conversationId } = pending.entry;
  device.environment.effects.emit(device.owner, {
    type: "send_failed",
    conversationId,
    messageId,
    state,
    code,
    message,
  });
}

function findInFlight(device: DeviceState, request: string | undefined): PendingSend | undefined {
  if (request === undefined || device.outbox === undefined) return undefined;
  for (const pending of device.outbox.values()) if (pending.request === request) return pending;
  return undefined;
}
