import type { Uuid } from "../../protocol/ids.ts";
import { bucketOf, type LogRow } from "../model.ts";
import type { Consistency, MessageLog } from "../ports/message-log.ts";

/** Rows of one read: envelopes may have 64 KiB each, and a proof may need thousands of rows. */
const chunkRowsMax = 128;

/**
 * Reads rows [fromSeq, toSeq] from the newest down, in chunks that never cross a bucket border, until `visit` answers
 * true. Answers whether every row it had to read was there, without a hole: what it says about absence holds only then.
 */
export async function scanDown(
  log: MessageLog,
  conversationId: Uuid,
  fromSeq: number,
  toSeq: number,
  consistency: Consistency,
  visit: (row: LogRow) => boolean,
): Promise<boolean> {
  for (let to = toSeq; to >= fromSeq;) {
    const bucket = bucketOf(to, log.bucketRows);
    const from = Math.max(fromSeq, bucket * log.bucketRows + 1, to - chunkRowsMax + 1);
    const { rows } = await log.readBucket(conversationId, bucket, from, to, to - from + 1, consistency);
    if (rows.length !== to - from + 1) return false;
    for (const [index, row] of rows.entries()) {
      if (row.seq !== to - index) return false;
      if (visit(row)) return true;
    }
    to = from - 1;
  }
  return true;
}

/** Reads rows [fromSeq, toSeq] upwards, chunk by chunk, ascending. Answers the last seq up to which no row was missing. */
export async function scanUp(
  log: MessageLog,
  conversationId: Uuid,
  fromSeq: number,
  toSeq: number,
  visit: (rows: readonly LogRow[]) => Promise<void>,
): Promise<number> {
  for (let from = fromSeq; from <= toSeq;) {
    const bucket = bucketOf(from, log.bucketRows);
    const to = Math.min(toSeq, (bucket + 1) * log.bucketRows, from + chunkRowsMax - 1);
    const { rows } = await log.readBucket(conversationId, bucket, from, to, to - from + 1, "latest");
    if (rows.length !== to - from + 1 || rows.at(-1)?.seq !== from) return from - 1;
    await visit(rows.toReversed());
    from = to + 1;
  }
  return toSeq;
}
