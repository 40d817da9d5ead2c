import type { ReceiptOutcome } from "../../core/api.ts";
import type { ClientFrameOf } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import { receiptsPageFields } from "./pages.ts";
import { pageWeight, type Route } from "./route.ts";

type ReceiptFrame = ClientFrameOf<"DELIVERED"> | ClientFrameOf<"READ_RECEIPT">;

/** Refused or not, the answer carries the registers: the device fills what is missing and sends again. */
function answer(frame: ReceiptFrame, outcome: ReceiptOutcome): ServerFrame {
  return {
    type: "RECEIPT_ACK",
    request: frame.request,
    conversation_id: frame.conversation_id,
    accepted: outcome.accepted,
    registers: outcome.registers,
  };
}

const draftOf = (frame: ReceiptFrame) => ({ conversationId: frame.conversation_id, from: frame.from, seq: frame.seq });

export const deliveredRoute: Route<"DELIVERED"> = {
  weight: 1,
  async run({ core }, { caller }, frame) {
    return answer(frame, await core.receipts.delivered(caller, draftOf(frame)));
  },
};

export const readReceiptRoute: Route<"READ_RECEIPT"> = {
  weight: 1,
  async run({ core }, { caller }, frame) {
    return answer(frame, await core.receipts.read(caller, draftOf(frame)));
  },
};

export const receiptsRoute: Route<"RECEIPTS"> = {
  rule: "read",
  weight: pageWeight,
  async run({ core }, connection, frame) {
    const page = await core.receipts.page(connection.caller, frame.conversation_id, frame.seq);
    const fields = receiptsPageFields(frame.conversation_id, page);
    await connection.sendPage({ type: "RECEIPTS_PAGE", request: frame.request, ...fields });
    return undefined;
  },
};
