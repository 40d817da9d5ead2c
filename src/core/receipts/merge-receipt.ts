import type { ReceiptRow } from "../model.ts";
import type { ReceiptWrite } from "../ports/receipts.ts";

/**
 * What a write does to a member's watermarks: the higher seq wins and brings its time; an equal or lower one changes
 * nothing, so that a repeat does not move the time at which a row was first covered. The watermarks commute.
 * Answers `row` itself when nothing changes.
 */
export function mergeReceipt(row: ReceiptRow | undefined, write: ReceiptWrite): ReceiptRow {
  const before = row ?? { userId: write.userId, recvSeq: 0, recvAt: 0, readSeq: 0, readAt: 0 };
  const recv = write.recv !== undefined && write.recv.seq > before.recvSeq ? write.recv : undefined;
  const read = write.read !== undefined && write.read.seq > before.readSeq ? write.read : undefined;
  if (row !== undefined && recv === undefined && read === undefined) return row;
  return {
    userId: before.userId,
    recvSeq: recv?.seq ?? before.recvSeq,
    recvAt: recv?.at ?? before.recvAt,
    readSeq: read?.seq ?? before.readSeq,
    readAt: read?.at ?? before.readAt,
  };
}
