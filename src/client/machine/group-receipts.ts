import { nextRequest, type ConversationState, type DeviceState } from "./state.ts";

/** Who got and who read what in a group: pulled while it is open, since pushes of it go only to those who look. */
export function pullReceipts(device: DeviceState, conversation: ConversationState): void {
  if (conversation.kind !== "group") return;
  device.environment.effects.send(device.owner, {
    type: "RECEIPTS",
    request: nextRequest(device, "c"),
    conversation_id: conversation.conversationId,
  });
}
