import type { SyncCursor } from "../../protocol/frames/client-frames.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { adoptRegisters } from "./adopt-registers.ts";
import { backoffMs } from "./backoff.ts";
import { dropCopy } from "./drop-copy.ts";
import { receivePage } from "./inbox.ts";
import { persistConversation } from "./persist.ts";
import { skipWhatReceiptsPassed } from "./skip.ts";
import { nextRequest, obtainConversation, type ConversationState, type DeviceState } from "./state.ts";

/**
 * Compares every conversation with the server: after each WELCOME, on RESYNC, and when a conversation shows up of which
 * too little is known. One round at a time:
 *
 *   idle → asked (SYNC… with all cursors) → SYNC_MESSAGES… → SYNC_DONE with `next` → asked for the next page → … → idle
 *
 * A round that fails or gets no answer starts over from the cursors as they are then, so nothing is fetched twice.
 */
export function requestSync(device: DeviceState, nowMs: number): void {
  if (device.syncRequest !== undefined) device.syncAgain = true;
  else if (device.syncAt === Infinity) device.syncAt = nowMs;
}

/** Starts a round that is due, gives up one that got no answer. */
export function driveSync(device: DeviceState, nowMs: number): void {
  if (device.connectionState !== "ready" || nowMs < device.syncAt) return;
  if (device.syncRequest === undefined) startRound(device, nowMs);
  else retryRound(device, nowMs, 0);
}

export function acceptSyncMessages(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"SYNC_MESSAGES">,
): ConversationState {
  const conversation = obtainConversation(device, frame.conversation_id);
  conversation.kind = frame.kind;
  conversation.peerId = frame.peer_id ?? conversation.peerId;
  conversation.closed = false;
  if (frame.request === device.syncRequest) device.syncAt = nowMs + device.environment.config.answerTimeoutMs;
  if (frame.name !== undefined && frame.name !== conversation.name) {
    conversation.name = frame.name;
    persistConversation(device, conversation);
    const { conversationId } = conversation;
    device.environment.effects.emit(device.owner, { type: "conversation", conversationId });
  }
  adoptRegisters(device, conversation, frame.registers);
  receivePage(device, conversation, frame);
  skipWhatReceiptsPassed(device, conversation);
  return conversation;
}

/** True when the round is over: every conversation should be looked at again. */
export function acceptSyncDone(device: DeviceState, nowMs: number, frame: ServerFrameOf<"SYNC_DONE">): boolean {
  if (frame.request !== device.syncRequest) return false;
  if (frame.next !== undefined) {
    device.syncAt = nowMs + device.environment.config.answerTimeoutMs;
    device.environment.effects.send(device.owner, {
      type: "SYNC",
      request: frame.request,
      cursors: [],
      page: frame.next,
    });
    return false;
  }
  device.syncRequest = undefined;
  device.syncAt = device.syncAgain ? nowMs : Infinity;
  device.syncAgain = false;
  device.syncAttempts = 0;
  device.synced = true;
  device.attempts = 0;
  device.environment.effects.emit(device.owner, { type: "synced" });
  return true;
}

export function acceptSyncError(device: DeviceState, nowMs: number, frame: ServerFrameOf<"ERROR">): boolean {
  if (frame.request === undefined || frame.request !== device.syncRequest) return false;
  const ahead = frame.code === "cursor_ahead" ? device.conversations.get(frame.conversation_id ?? "") : undefined;
  if (ahead !== undefined && isKnown(ahead)) {
    dropCopy(device, ahead);
    device.syncRequest = undefined;
    device.syncAt = nowMs;
  } else retryRound(device, nowMs, frame.retry_after_ms ?? 0);
  return true;
}

export function cursorOf(conversation: ConversationState): SyncCursor {
  const { registers } = conversation;
  const cursor: SyncCursor = {
    conversation_id: conversation.conversationId,
    seq: conversation.filled,
    read: registers.read_seq,
    peer_recv: registers.peer_recv_seq,
    peer_read: registers.peer_read_seq,
  };
  if (registers.left_seq > 0) cursor.left = registers.left_seq;
  const tail = conversation.runs.at(-1);
  if (tail !== undefined) cursor.tail = [tail[0], tail[1]];
  return cursor;
}

function startRound(device: DeviceState, nowMs: number): void {
  const request = nextRequest(device, "y");
  device.syncRequest = request;
  device.syncAt = nowMs + device.environment.config.answerTimeoutMs;
  device.counters.syncs++;
  const cursors = comparedConversations(device).map(cursorOf);
  for (let from = 0; ; from += limits.syncCursorsPerFrameMax) {
    const some = cursors.slice(from, from + limits.syncCursorsPerFrameMax);
    const more = from + some.length < cursors.length;
    device.environment.effects.send(device.owner, {
      type: "SYNC",
      request,
      cursors: some,
      ...(more ? { more } : {}),
    });
    if (!more) return;
  }
}

/**
 * Without a cursor the server tells everything anew: what is not known well enough is left out, and of more than it takes
 * those that were silent for the longest time.
 */
function comparedConversations(device: DeviceState): ConversationState[] {
  const known = [...device.conversations.values()].filter(isKnown);
  if (known.length <= limits.syncCursorsMax) return known;
  known.sort((one, other) => other.registers.last_at - one.registers.last_at);
  return known.slice(0, limits.syncCursorsMax);
}

function isKnown(conversation: ConversationState): boolean {
  if (conversation.kind === "direct" && conversation.peerId === undefined) return false;
  return conversation.told || conversation.filled > 0;
}

function retryRound(device: DeviceState, nowMs: number, atLeastMs: number): void {
  const { config, random } = device.environment;
  device.syncRequest = undefined;
  const delay = backoffMs(device.syncAttempts++, config.backoffMinMs, config.backoffMaxMs, random);
  device.syncAt = nowMs + Math.max(delay, atLeastMs);
}
