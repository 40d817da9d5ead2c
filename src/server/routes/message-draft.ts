import type { MessageDraft, SentMessage } from "../../core/api.ts";
import type { SendMessageFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { isSendable } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/** The parts of a send that a frame and its HTTP twin share. Errors: bad_envelope, bad_request. */
export function draftOf(send: Omit<SendMessageFrame, "type" | "request">): MessageDraft {
  if (!isSendable(send.kind)) throw new WireError("bad_request", { detail: "kind: made by the server only" });
  return {
    to: send.to,
    messageId: send.message_id,
    since: send.since,
    ...(send.read_from === undefined ? {} : { readFrom: send.read_from }),
    ...(send.read === undefined ? {} : { read: send.read }),
    kind: send.kind,
    ...(send.media_id === undefined ? {} : { mediaId: send.media_id }),
    envelope: decodeEnvelope(send.envelope),
  };
}

/** The answer to a send, as the frame and its HTTP twin spell it. */
export function ackFields(messageId: Uuid, sent: SentMessage): Omit<ServerFrameOf<"ACK">, "type" | "request"> {
  return {
    message_id: messageId,
    conversation_id: sent.conversationId,
    seq: sent.seq,
    status: "sent",
    sent_at: sent.sentAt,
    ucount: sent.ucount,
    ...(sent.maxStatus === undefined ? {} : { max_status: sent.maxStatus }),
  };
}

/**
 * Strict base64 (RFC 4648 §4). Node's decoder skips what it does not know and takes the URL alphabet too; a text without
 * the latter whose bytes are as many as its length promises had nothing to skip.
 */
function decodeEnvelope(text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytesExpected = (text.length / 4) * 3 - padding;
  const bytes = Buffer.from(text, "base64");
  const strict = text.length % 4 === 0 && bytes.length === bytesExpected && !text.includes("-") && !text.includes("_");
  if (!strict || bytes.length > limits.envelopeBytesMax) throw new WireError("bad_envelope");
  return bytes;
}
