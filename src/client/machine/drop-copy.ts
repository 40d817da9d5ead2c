import { dropHistoryRequest } from "./history.ts";
import { persistDrop } from "./persist.ts";
import { unknownRegisters } from "./registers.ts";
import type { ConversationState, DeviceState } from "./state.ts";

/**
 * Forgets all that is held of a conversation, because the server's log ends before it: the server's data was restored or
 * exchanged, and nothing may be built on what came from the other one. Unanswered messages stay; one that may have been
 * sent keeps its `since`, so that the server, which cannot tell whether it is new, refuses it and the user decides.
 */
export function dropCopy(device: DeviceState, conversation: ConversationState): void {
  conversation.registers = unknownRegisters;
  conversation.told = false;
  conversation.membership = 0;
  conversation.start = 1;
  conversation.filled = 0;
  conversation.runs = [];
  conversation.proven = 0;
  conversation.foreign = 0;
  conversation.viewed = 0;
  conversation.readOwed = 0;
  conversation.deliveredOwed = 0;
  conversation.head = 0;
  conversation.stored = 0;
  conversation.storedForeign = 0;
  conversation.held = undefined;
  conversation.neededFrom = Infinity;
  conversation.gapAt = Infinity;
  conversation.gapAttempts = 0;
  conversation.delivered = undefined;
  conversation.read = undefined;
  if (conversation.rangeRequest !== undefined) {
    conversation.rangeRequest = undefined;
    device.rangesInFlight--;
  }
  dropHistoryRequest(device, conversation, "cursor_ahead", "the conversation is being read anew");
  // What the storage still has to confirm of the old copy must not count for the new one.
  device.undurable = device.undurable?.filter((change) => change.conversation !== conversation);
  persistDrop(device, conversation);
  const { conversationId } = conversation;
  device.environment.effects.emit(device.owner, { type: "dropped", conversationId });
}
