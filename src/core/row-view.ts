import type { MessageRow, PageRow } from "../protocol/fields.ts";
import type { Uuid } from "../protocol/ids.ts";
import { kinds } from "../protocol/kinds.ts";
import type { LogRow } from "./model.ts";

/**
 * A log row as `viewerId` may see it. One that is only for its sender is a void row for everybody else: it fills the hole
 * and tells nothing; its sender sees that nobody will ever confirm it.
 */
export function viewRow(row: LogRow, viewerId: Uuid): PageRow {
  if (row.visibility === 1 && row.senderId !== viewerId) return { seq: row.seq, kind: kinds.void };
  return messageRowOf(row);
}

/** The row as its sender and, unless it is only for the sender, every reader sees it. */
export function messageRowOf(row: LogRow): MessageRow {
  const { envelope } = row;
  return {
    seq: row.seq,
    message_id: row.messageId,
    sender: { user: row.senderId, device: row.senderDevice },
    sent_at: row.sentAt,
    kind: row.kind,
    envelope: Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength).toString("base64"),
    ...(row.mediaId === undefined ? {} : { media_id: row.mediaId }),
    ucount: row.ucount,
    ...(row.visibility === 1 ? { max_status: "sent" as const } : {}),
  };
}

/** Bytes of the row in a frame, at most: base64 of the envelope and every other field at its longest. */
export function rowBytes(row: LogRow): number {
  return Math.ceil(row.envelope.byteLength / 3) * 4 + rowOverheadBytesMax;
}

const rowOverheadBytesMax = 384;
