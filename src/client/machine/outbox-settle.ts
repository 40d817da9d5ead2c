import type { MessageRow } from "../../protocol/fields.ts";
import { persistRemoval } from "./persist.ts";
import type { ConversationState, DeviceState, PendingSend } from "./state.ts";

/** Takes a message out of its conversation's queue; the window it used is free again. */
export function unqueue(device: DeviceState, conversation: ConversationState, pending: PendingSend): void {
  const queue = conversation.queue;
  if (queue === undefined) return;
  const index = queue.indexOf(pending);
  if (index < 0) return;
  if (index === 0) queue.shift();
  else queue.splice(index, 1);
  if (index < conversation.queueSent) {
    conversation.queueSent--;
    device.sendsInFlight--;
  }
  pending.request = undefined;
  if (queue.length === 0) conversation.queue = undefined;
}

/** The message is in the log: forget it, say so. */
export function settle(
  device: DeviceState,
  conversation: ConversationState,
  pending: PendingSend,
  seq: number,
  sentAt: number,
  maxStatus: "sent" | undefined,
): void {
  unqueue(device, conversation, pending);
  device.outbox?.delete(pending.entry.messageId);
  persistRemoval(device, pending);
  const { messageId } = pending.entry;
  const conversationId = conversation.conversationId;
  device.environment.effects.emit(device.owner, { type: "sent", conversationId, messageId, seq, sentAt, maxStatus });
}

/**
 * A row of this device may be the answer to a message whose ACK was lost. Must run before the row is persisted: a row
 * that is held while its message still waits would later pass as proof that the message is not in the log.
 */
export function settleByRow(device: DeviceState, conversation: ConversationState, row: MessageRow): void {
  if (device.outbox === undefined || row.sender.device !== device.device || row.sender.user !== device.userId) return;
  const pending = device.outbox.get(row.message_id);
  if (pending !== undefined) settle(device, conversation, pending, row.seq, row.sent_at, row.max_status);
}
