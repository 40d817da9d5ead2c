import { ack } from "../../../protocol/frames/server-frames.ts";
import { sendMessage as sendMessageFrame } from "../../../protocol/frames/client-frames.ts";
import { endpoint } from "../endpoint.ts";
import { ackFields, draftOf } from "../../routes/message-draft.ts";

/** One send over HTTP: the same core call as the frame, with a gate of its own, since one request pipelines nothing; a connection of the same device is told like any other. */
export const sendMessage = endpoint(
  {
    method: "POST",
    url: "/api/messages",
    rule: "send",
    summary: "Send a message; answered when it is on disk. Idempotent by message_id",
    body: sendMessageFrame.omit({ type: true, request: true }),
    status: 201,
    answer: ack.omit({ type: true, request: true }),
  },
  async ({ core }, caller, { body }) =>
    ackFields(
      body.message_id,
      await core.delivery.send(caller, core.delivery.createGate(), { ...draftOf(body), echo: true }),
    ),
);
