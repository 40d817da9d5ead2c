import { kinds } from "../../protocol/kinds.ts";
import type { MessageRow } from "../../protocol/fields.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { GroupChange, LogRow } from "../model.ts";

/** A row as those who may see it get it; a row for the sender alone says that it will never be confirmed. */
export function toMessageRow(row: LogRow): MessageRow {
  const { envelope } = row;
  const message: MessageRow = {
    seq: row.seq,
    message_id: row.messageId,
    sender: { user: row.senderId, device: row.senderDevice },
    sent_at: row.sentAt,
    kind: row.kind,
    envelope: Buffer.from(envelope.buffer, envelope.byteOffset, envelope.length).toString("base64"),
    ucount: row.ucount,
  };
  if (row.mediaId !== undefined) message.media_id = row.mediaId;
  if (row.visibility === 1) message.max_status = "sent";
  return message;
}

export function newMessageFrame(conversationId: Uuid, row: LogRow): ServerFrame {
  return { type: "NEW_MESSAGE", conversation_id: conversationId, ...toMessageRow(row) };
}

const encoder = new TextEncoder();

/** The body of a system row is a function of the change alone, so that whoever finishes it writes the same. */
export function systemEnvelope(change: GroupChange): Uint8Array {
  const body = {
    change: change.kind,
    actor: change.actorId,
    users: change.userIds,
    ...(change.role === undefined ? {} : { role: change.role }),
    ...(change.name === undefined ? {} : { name: change.name }),
    membership: change.version,
  };
  return encoder.encode(JSON.stringify({ v: 1, suite: 0, body }));
}

/** The row of a change, to stand at `seq`. Not countable: `ucount` is that of the row before. */
export function systemRow(change: GroupChange, seq: number, sentAt: number, ucount: number): LogRow {
  return {
    seq,
    messageId: change.messageId,
    senderId: change.actorId,
    senderDevice: change.actorDevice,
    sentAt,
    kind: kinds.system,
    visibility: 0,
    ucount,
    envelope: systemEnvelope(change),
  };
}
