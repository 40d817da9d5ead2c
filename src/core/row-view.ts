import type { PageRow } from "../protocol/fields.ts";
import type { Uuid } from "../protocol/ids.ts";
import { kinds } from "../protocol/kinds.ts";
import { toMessageRow } from "./delivery/message-row.ts";
import type { LogRow } from "./model.ts";

/**
 * A log row as `viewerId` may see it. One that is only for its sender is a void row for everybody else: it fills the hole
 * and tells nothing; its sender sees that nobody will ever confirm it.
 */
export function viewRow(row: LogRow, viewerId: Uuid): PageRow {
  if (row.visibility === 1 && row.senderId !== viewerId) return { seq: row.seq, kind: kinds.void };
  return toMessageRow(row);
}

/** Bytes of the row in a frame, at most: base64 of the envelope and every other field at its longest. */
export function rowBytes(row: LogRow): number {
  return Math.ceil(row.envelope.byteLength / 3) * 4 + rowOverheadBytesMax;
}

const rowOverheadBytesMax = 384;
