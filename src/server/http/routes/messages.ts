import { ack } from "../../../protocol/frames/server-frames.ts";
import { sendMessage as sendMessageFrame } from "../../../protocol/frames/client-frames.ts";
import { WireError } from "../../../protocol/wire-errors.ts";
import { endpoint } from "../endpoint.ts";
import { draftOf } from "../../routes/message-draft.ts";

/** One send over HTTP: the same core call as the frame, with a gate of its own, since one request pipelines nothing. */
export const sendMessage = endpoint(
  {
    method: "POST",
    url: "/api/messages",
    summary: "Send a message; answered when it is on disk. Idempotent by message_id",
    body: sendMessageFrame.omit({ type: true, request: true }),
    status: 201,
    answer: ack.omit({ type: true, request: true }),
  },
  async ({ core, rateLimits, sendRule, clock }, caller, { body }) => {
    const wait =
      sendRule === undefined ? 0 : await rateLimits.take(`send:${caller.userId}`, sendRule, 1, clock.nowMs());
    if (wait > 0) throw new WireError("rate_limited", { retryAfterMs: wait });
    const sent = await core.delivery.send(caller, core.delivery.createGate(), draftOf(body));
    return {
      message_id: body.message_id,
      conversation_id: sent.conversationId,
      seq: sent.seq,
      status: "sent" as const,
      sent_at: sent.sentAt,
      ucount: sent.ucount,
    };
  },
);
