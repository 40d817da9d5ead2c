import type { Uuid } from "../../protocol/ids.ts";
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

/** Conversations that may be opened before anything is known of them; beyond, the wish made first is forgotten. */
const openWishesMax = 64;

export function openConversation(device: DeviceState, conversationId: Uuid): void {
  const conversation = device.conversations.get(conversationId);
  // Before the server has shown it, it may not exist there, and the question would be refused.
  if (conversation?.kind === undefined) wish(device, conversationId);
  else open(device, conversation);
}

/** Also takes back a wish that waits. */
export function closeConversation(device: DeviceState, conversationId: Uuid): void {
  device.openWishes?.delete(conversationId);
  const conversation = device.conversations.get(conversationId);
  if (conversation !== undefined) conversation.open = false;
}

/** To be called when the server has shown something of the conversation. */
export function openIfWished(device: DeviceState, conversation: ConversationState): void {
  if (device.openWishes === undefined || conversation.kind === undefined) return;
  if (!device.openWishes.delete(conversation.conversationId)) return;
  if (device.openWishes.size === 0) device.openWishes = undefined;
  open(device, conversation);
}

/** While there is no connection only noted: every WELCOME pulls for all that are open. */
function open(device: DeviceState, conversation: ConversationState): void {
  conversation.open = true;
  if (device.connectionState === "ready") pullReceipts(device, conversation);
}

function wish(device: DeviceState, conversationId: Uuid): void {
  const wishes = (device.openWishes ??= new Set());
  if (wishes.size >= openWishesMax && !wishes.has(conversationId)) {
    for (const oldest of wishes) {
      wishes.delete(oldest);
      break;
    }
  }
  wishes.add(conversationId);
}
