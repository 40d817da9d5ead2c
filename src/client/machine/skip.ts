import { skipTo } from "./inbox.ts";
import type { ConversationState, DeviceState } from "./state.ts";

/**
 * A device far behind need not hold what receipts, perhaps of another device, have passed: it continues after that and
 * fetches the rest when somebody scrolls there. Short holes are filled, so that history stays in one piece.
 */
export function skipWhatReceiptsPassed(device: DeviceState, conversation: ConversationState): void {
  const first = conversation.runs[0];
  if (first === undefined || !conversation.told) return;
  const { recv_seq, read_seq, joined_seq } = conversation.registers;
  const isNew = conversation.filled < conversation.start;
  const lacking = first[0] - 1 - conversation.filled;
  if (!isNew && lacking <= device.environment.config.behindRowsMax) return;
  // One who was never told of rows before the join cannot read them; a former member may still lack some of those.
  const passed = Math.max(Math.min(recv_seq, read_seq), isNew ? joined_seq - 1 : 0);
  skipTo(device, conversation, Math.min(passed, first[0] - 1));
}
