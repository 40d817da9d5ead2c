import type { LogHead, LogRow, Visibility } from "../../core/model.ts";
import {
  bigintCell,
  blobCell,
  intCell,
  numberOf,
  tinyintCell,
  uuidCell,
  uuidOf,
  type Cell,
  type Int64,
  type UuidObject,
} from "./cells.ts";

/** Rows of `messages` as the driver gives them, and the values of the statements that write them. */
export interface HeadCells {
  readonly head: Int64 | null;
  readonly head_ucount: Int64 | null;
  readonly head_at: Date | null;
  readonly membership: number | null;
}

export interface RowCells extends HeadCells {
  readonly seq: Int64;
  readonly message_id: UuidObject;
  readonly sender_id: UuidObject;
  readonly sender_device: number;
  readonly sent_at: Date;
  readonly kind: number;
  readonly visibility: number;
  readonly ucount: Int64;
  readonly media_id: UuidObject | null;
  readonly envelope: Buffer;
}

/** undefined: not every static was named in the answer, or the bucket has none. */
export function headOf(cells: Partial<HeadCells>): LogHead | undefined {
  const { head, head_ucount: headUcount, head_at: headAt, membership } = cells;
  if (!head || !headUcount || !headAt || typeof membership !== "number") return undefined;
  return { head: numberOf(head), headUcount: numberOf(headUcount), headAt: headAt.getTime(), membership };
}

export function logRowOf(cells: RowCells): LogRow {
  const row: LogRow = {
    seq: numberOf(cells.seq),
    messageId: uuidOf(cells.message_id),
    senderId: uuidOf(cells.sender_id),
    senderDevice: cells.sender_device,
    sentAt: cells.sent_at.getTime(),
    kind: cells.kind,
    visibility: cells.visibility as Visibility,
    ucount: numberOf(cells.ucount),
    envelope: cells.envelope,
  };
  return cells.media_id === null ? row : { ...row, mediaId: uuidOf(cells.media_id) };
}

/** In the order of `insertRow`. */
export function rowParams(conversationCell: Buffer, bucketCell: Buffer, row: LogRow): readonly Cell[] {
  return [
    conversationCell,
    bucketCell,
    bigintCell(row.seq),
    uuidCell(row.messageId),
    uuidCell(row.senderId),
    intCell(row.senderDevice),
    bigintCell(row.sentAt),
    tinyintCell(row.kind),
    tinyintCell(row.visibility),
    bigintCell(row.ucount),
    row.mediaId === undefined ? undefined : uuidCell(row.mediaId),
    blobCell(row.envelope),
  ];
}
