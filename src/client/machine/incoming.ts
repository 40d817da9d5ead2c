import { isVoid, type PageRow } from "../../protocol/fields.ts";
import type { ServerFrame, ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { directConversationId, uuidVersion } from "../../protocol/ids.ts";
import { adoptRegisters } from "./adopt-registers.ts";
import { acceptReconnect, acceptWelcome } from "./connection.ts";
import { acceptRangeError, acceptRangePage } from "./gaps.ts";
import { openIfWished } from "./group-receipts.ts";
import { acceptHistoryError, acceptHistoryPage } from "./history.ts";
import { receiveRow, skipTo } from "./inbox.ts";
import { acceptAck, acceptSendError } from "./outbox.ts";
import { persistConversation } from "./persist.ts";
import { acceptReceiptAck, acceptReceiptError } from "./receipts.ts";
import { mergeRegisters } from "./registers.ts";
import { obtainConversation, type ConversationState, type DeviceState } from "./state.ts";
import { acceptSyncDone, acceptSyncError, acceptSyncMessages, requestSync } from "./sync.ts";
import { work, workAll } from "./work.ts";

/** One frame from the server to the operation that it belongs to, then the work that it made possible. */
export function acceptFrame(device: DeviceState, nowMs: number, frame: ServerFrame): void {
  const touched = dispatch(device, nowMs, frame);
  if (touched === undefined) return;
  openIfWished(device, touched);
  work(device, touched, nowMs);
}

function dispatch(device: DeviceState, nowMs: number, frame: ServerFrame): ConversationState | undefined {
  switch (frame.type) {
    case "NEW_MESSAGE":
      return acceptNewMessage(device, nowMs, frame);
    case "ACK":
      return acceptAck(device, frame);
    case "RECEIPT_ACK":
      return acceptReceiptAck(device, frame);
    case "STATUS_UPDATE":
      return acceptStatus(device, nowMs, frame);
    case "SYNC_MESSAGES":
      return acceptSyncMessages(device, nowMs, frame);
    case "SYNC_DONE":
      if (acceptSyncDone(device, nowMs, frame)) workAll(device, nowMs);
      return undefined;
    case "RANGE_PAGE":
      return acceptRangePage(device, nowMs, frame);
    case "HISTORY_PAGE":
      return acceptHistoryPage(device, frame);
    case "CONVERSATION_UPDATE":
      return acceptConversationUpdate(device, nowMs, frame);
    case "ERROR":
      return acceptError(device, nowMs, frame);
    case "WELCOME":
      acceptWelcome(device, nowMs, frame);
      return undefined;
    case "RESYNC":
      requestSync(device, nowMs);
      return undefined;
    case "RECONNECT":
      acceptReconnect(device, nowMs, frame);
      return undefined;
    case "RECEIPTS_PAGE":
    case "PRESENCE":
    case "TYPING":
      passOn(device, frame);
      return undefined;
    case "HEARTBEAT_ACK":
      return undefined;
    default:
      // A newer server may send what this client does not know.
      return undefined;
  }
}

function acceptNewMessage(device: DeviceState, nowMs: number, frame: ServerFrameOf<"NEW_MESSAGE">): ConversationState {
  const conversation = obtainConversation(device, frame.conversation_id);
  const row = rowOf(frame);
  if (conversation.kind !== "group" && conversation.peerId === undefined) identify(device, nowMs, conversation, row);
  receiveRow(device, conversation, row);
  return conversation;
}

/** A push names neither kind nor peer: the id tells the kind, the sender is the peer unless it is this user. */
function identify(device: DeviceState, nowMs: number, conversation: ConversationState, row: PageRow): void {
  const isFirst = conversation.kind === undefined;
  conversation.kind = uuidVersion(conversation.conversationId) === 7 ? "group" : "direct";
  if (conversation.kind === "group" || isVoid(row)) return;
  const sender = row.sender.user;
  if (directConversationId(device.userId, sender) === conversation.conversationId) conversation.peerId = sender;
  // Begun by another device of this user: only a sync tells with whom.
  else if (isFirst) requestSync(device, nowMs);
}

/** Only the fields of a row: what is kept must not grow with the frame it came in. */
function rowOf(frame: ServerFrameOf<"NEW_MESSAGE">): PageRow {
  if (isVoid(frame)) return { seq: frame.seq, kind: 0 };
  const { seq, message_id, sender, sent_at, kind, envelope, ucount } = frame;
  const row: PageRow = { seq, message_id, sender, sent_at, kind, envelope, ucount };
  if (frame.media_id !== undefined) row.media_id = frame.media_id;
  if (frame.max_status !== undefined) row.max_status = frame.max_status;
  return row;
}

function acceptStatus(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"STATUS_UPDATE">,
): ConversationState | undefined {
  const conversation = device.conversations.get(frame.conversation_id);
  const { user_id: userId, recv_seq: recvSeq, read_seq: readSeq } = frame;
  const { effects } = device.environment;
  if (conversation === undefined) {
    // Its rows were missed. A sync that is under way may have read the registers before this.
    requestSync(device, nowMs);
    return undefined;
  }
  const { conversationId, registers } = conversation;
  if (userId === device.userId) {
    const read = frame.read_ucount === undefined ? {} : { read_seq: readSeq, read_ucount: frame.read_ucount };
    conversation.registers = mergeRegisters(registers, { ...registers, recv_seq: recvSeq, ...read });
    conversation.viewed = Math.max(conversation.viewed, conversation.registers.read_seq);
    if (conversation.registers === registers) return undefined;
    persistConversation(device, conversation);
    effects.emit(device.owner, { type: "conversation", conversationId });
    return conversation;
  }
  if (conversation.kind === "direct") {
    conversation.registers = mergeRegisters(registers, {
      ...registers,
      peer_recv_seq: Math.max(recvSeq, readSeq),
      peer_read_seq: readSeq,
    });
    if (conversation.registers === registers) return undefined;
    persistConversation(device, conversation);
  }
  effects.emit(device.owner, { type: "watermarks", conversationId, userId, recvSeq, readSeq });
  return undefined;
}

function acceptConversationUpdate(
  device: DeviceState,
  nowMs: number,
  frame: ServerFrameOf<"CONVERSATION_UPDATE">,
): ConversationState {
  const conversation = obtainConversation(device, frame.conversation_id);
  conversation.kind = frame.kind;
  const membership = frame.membership ?? conversation.membership;
  // Whoever finishes an old change a second time tells the name of then.
  if (membership >= conversation.membership) conversation.name = frame.name ?? conversation.name;
  conversation.membership = Math.max(membership, conversation.membership);
  const isNew = !conversation.told && conversation.filled === 0 && conversation.runs.length === 0;
  // Before the first sync a conversation that is new here may be old elsewhere: the sync will say from where to hold it.
  if (frame.registers !== undefined && (device.synced || !isNew)) {
    adoptRegisters(device, conversation, frame.registers);
    if (isNew) skipTo(device, conversation, frame.registers.joined_seq - 1);
  } else if (frame.registers !== undefined) {
    // One that is under way may have read the registers before they moved.
    requestSync(device, nowMs);
  }
  persistConversation(device, conversation);
  const { conversationId } = conversation;
  device.environment.effects.emit(device.owner, { type: "conversation", conversationId });
  return conversation;
}

function acceptError(device: DeviceState, nowMs: number, frame: ServerFrameOf<"ERROR">): ConversationState | undefined {
  switch (frame.request?.charAt(0)) {
    case "m":
      return acceptSendError(device, nowMs, frame);
    case "d":
    case "r":
      return acceptReceiptError(device, nowMs, frame);
    case "g":
      return acceptRangeError(device, nowMs, frame);
    case "y":
      acceptSyncError(device, nowMs, frame);
      return undefined;
    case "h":
      acceptHistoryError(device, frame);
      return undefined;
    default:
  }
  const { request, code, message } = frame;
  device.environment.effects.emit(device.owner, { type: "refused", request, code, message });
  return undefined;
}

function passOn(device: DeviceState, frame: ServerFrameOf<"RECEIPTS_PAGE" | "PRESENCE" | "TYPING">): void {
  const { effects } = device.environment;
  switch (frame.type) {
    case "RECEIPTS_PAGE":
      effects.emit(device.owner, { type: "receipts", conversationId: frame.conversation_id, page: frame });
      break;
    case "PRESENCE": {
      const { user_id: userId, online, last_seen: lastSeen } = frame;
      effects.emit(device.owner, { type: "presence", userId, online, lastSeen });
      break;
    }
    case "TYPING":
      effects.emit(device.owner, { type: "typing", conversationId: frame.conversation_id, userId: frame.user_id });
      break;
  }
}
