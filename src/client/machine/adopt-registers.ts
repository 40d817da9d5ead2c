import type { Registers } from "../../protocol/fields.ts";
import { persistConversation } from "./persist.ts";
import { mergeRegisters } from "./registers.ts";
import type { ConversationState, DeviceState } from "./state.ts";

/** Takes over what the server says of the reader's own registers. True when anything moved. */
export function adoptRegisters(device: DeviceState, conversation: ConversationState, incoming: Registers): boolean {
  const before = conversation.registers;
  const merged = mergeRegisters(before, incoming);
  if (merged === before && conversation.told) return false;
  conversation.registers = merged;
  conversation.told = true;
  if (merged.read_seq > conversation.viewed) conversation.viewed = merged.read_seq;
  // The newest row that this reader may see: one who left is not told of later ones, and shall not miss them.
  if (merged.last_seq > conversation.head) conversation.head = merged.last_seq;
  persistConversation(device, conversation);
  const { effects } = device.environment;
  const { conversationId, peerId } = conversation;
  if (
    peerId !== undefined &&
    (merged.peer_recv_seq > before.peer_recv_seq || merged.peer_read_seq > before.peer_read_seq)
  ) {
    effects.emit(device.owner, {
      type: "watermarks",
      conversationId,
      userId: peerId,
      recvSeq: merged.peer_recv_seq,
      readSeq: merged.peer_read_seq,
    });
  }
  effects.emit(device.owner, { type: "conversation", conversationId });
  return true;
}
