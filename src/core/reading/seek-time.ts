import type { Uuid } from "../../protocol/ids.ts";
import { bucketOf, type LogRow } from "../model.ts";
import type { MessageLog } from "../ports/message-log.ts";

/** Rows that are read at once when the search is that close. */
const finalRowsMax = 64;

/**
 * Highest seq of [from, to] whose row was sent before `time`, or from − 1. sent_at never falls within a log, so it is a
 * binary search: at most 10 point reads up to 65,536 rows, one more for each doubling, then one read of the last
 * 64 rows (two across a bucket border). Rows that are gone are the oldest: they count as sent before.
 */
export async function seekTime(
  log: MessageLog,
  conversationId: Uuid,
  from: number,
  to: number,
  time: number,
): Promise<number> {
  let before = from - 1;
  let notBefore = to + 1;
  while (notBefore - before - 1 > finalRowsMax) {
    const middle = Math.floor((before + notBefore) / 2);
    const row = await rowAt(log, conversationId, middle);
    if (row === undefined || row.sentAt < time) before = middle;
    else notBefore = middle;
  }
  for (let high = notBefore - 1; high > before;) {
    const bucket = bucketOf(high, log.bucketRows);
    const low = Math.max(before + 1, bucket * log.bucketRows + 1);
    const { rows } = await log.readBucket(conversationId, bucket, low, high, high - low + 1, "latest");
    const found = rows.find((row) => row.sentAt < time);
    if (found !== undefined) return found.seq;
    high = low - 1;
  }
  return before;
}

async function rowAt(log: MessageLog, conversationId: Uuid, seq: number): Promise<LogRow | undefined> {
  const { rows } = await log.readBucket(conversationId, bucketOf(seq, log.bucketRows), seq, seq, 1, "latest");
  return rows[0];
}
