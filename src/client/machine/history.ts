import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { receivePage } from "./inbox.ts";
import { nextRequest, type ConversationState, type DeviceState } from "./state.ts";

/** Rows before `start`, fetched because somebody scrolled there. One request per conversation, tried once. */
export function loadHistory(device: DeviceState, conversation: ConversationState, limit: number): boolean {
  if (device.connectionState !== "ready" || conversation.historyRequest !== undefined) return false;
  conversation.historyRequest = nextRequest(device, "h");
  device.environment.effects.send(device.owner, {
    type: "HISTORY",
    request: conversation.historyRequest,
    conversation_id: conversation.conversationId,
    before_seq: conversation.start,
    limit: Math.max(1, Math.min(limit, limits.pageRowsMax)),
  });
  return true;
}

export function acceptHistoryPage(
  device: DeviceState,
  frame: ServerFrameOf<"HISTORY_PAGE">,
): ConversationState | undefined {
  const conversation = device.conversations.get(frame.conversation_id);
  if (conversation === undefined || conversation.historyRequest !== frame.request) return undefined;
  conversation.historyRequest = undefined;
  receivePage(device, conversation, frame);
  const { conversationId } = conversation;
  const { from, to, has_more: hasMore } = frame;
  device.environment.effects.emit(device.owner, { type: "history", conversationId, from, to, hasMore });
  return conversation;
}

/** Whoever asked is told, and may ask again. */
export function acceptHistoryError(device: DeviceState, frame: ServerFrameOf<"ERROR">): void {
  for (const conversation of device.conversations.values()) {
    if (conversation.historyRequest !== frame.request) continue;
    dropHistoryRequest(device, conversation, frame.code, frame.message);
    return;
  }
}

/** No page will come for what was asked, if anything was. */
export function dropHistoryRequest(
  device: DeviceState,
  conversation: ConversationState,
  code: string,
  message: string,
): void {
  if (conversation.historyRequest === undefined) return;
  conversation.historyRequest = undefined;
  const { conversationId } = conversation;
  device.environment.effects.emit(device.owner, { type: "history_failed", conversationId, code, message });
}
