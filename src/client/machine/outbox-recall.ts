import { obtainConversation, type ConversationState, type DeviceState, type PendingSend } from "./state.ts";

/** Takes back what is in flight from `pending` on; it will be sent again in order. Answers that still come are ignored. */
export function recall(device: DeviceState, conversation: ConversationState, pending: PendingSend): void {
  const queue = conversation.queue ?? [];
  const index = queue.indexOf(pending);
  for (let at = index; at < conversation.queueSent; at++) {
    const later = queue[at] as PendingSend;
    if (later !== pending) later.undecided = true;
    later.request = undefined;
    device.sendsInFlight--;
  }
  conversation.queueSent = Math.min(conversation.queueSent, index);
}

/** The connection is gone: nothing is in flight, and all that was may be in the log. */
export function recallAll(device: DeviceState): void {
  device.sendsInFlight = 0;
  device.windowWaiters = undefined;
  for (const pending of device.outbox?.values() ?? []) {
    const conversation = obtainConversation(device, pending.entry.conversationId);
    conversation.queueSent = 0;
    conversation.retryAt = 0;
    if (pending.request === undefined) continue;
    pending.request = undefined;
    pending.undecided = true;
  }
}
