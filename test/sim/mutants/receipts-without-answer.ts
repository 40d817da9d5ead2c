import type { Mutant } from "./mutant.ts";

/** The device counts a receipt as done when it is sent: one that gets lost is never sent again. */
export const receiptsWithoutAnswer: Mutant = {
  name: "receipts-without-answer",
  frames: (device) => (frame) => {
    if (frame.type !== "DELIVERED" && frame.type !== "READ_RECEIPT") return frame;
    device.soon((machine) => {
      const view = machine.conversation(frame.conversation_id);
      if (view === undefined) return;
      const moved = frame.type === "DELIVERED" ? { recv_seq: frame.seq } : { read_seq: frame.seq };
      const registers = { ...view.registers, ...moved };
      const { request, conversation_id } = frame;
      machine.frame(device.nowMs(), { type: "RECEIPT_ACK", request, conversation_id, accepted: true, registers });
    });
    return frame;
  },
};
