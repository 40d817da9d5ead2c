import { directConversationId, type Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/** A retry says `since` = the highest seq that the device has heard of, not the one up to which it has every row. */
export const sinceRaisedBlindly: Mutant = {
  name: "since-raised-blindly",
  frames: (device) => {
    const sent = new Set<Uuid>();
    return (frame) => {
      if (frame.type !== "SEND_MESSAGE") return frame;
      const isRetry = sent.has(frame.message_id);
      sent.add(frame.message_id);
      if (!isRetry) return frame;
      const { to } = frame;
      const conversationId = "user" in to ? directConversationId(device.userId, to.user) : to.conversation;
      const head = device.machine()?.conversation(conversationId)?.head ?? 0;
      return { ...frame, since: Math.max(frame.since, head) };
    };
  },
};
