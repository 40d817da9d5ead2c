import type { MemberInterval } from "../model.ts";

/** What a receipt claims, and what it is judged by. */
export interface RunClaim {
  /** DELIVERED: recv_seq; READ_RECEIPT and the `read` of a send: read_seq. */
  readonly watermark: number;
  readonly from: number;
  readonly seq: number;
  /** A seq that is known to be in the log: the head, or anything below it that is high enough. */
  readonly head: number;
  readonly intervals: readonly Pick<MemberInterval, "joinedSeq" | "leftSeq">[];
}

/**
 * Whether a receipt may move the watermark to `seq`: the run [from, seq] starts no later than right after the watermark
 * (else a newly linked device that loaded the last 50 rows would turn everything older ✓✓), and `seq` exists and is one
 * that this member may read (else one claim of 10¹² would stick for ever). What lies between may be unreadable, gone or
 * void: such rows are held by whoever was told so. A false answer is final only when head and intervals were read anew,
 * since another process may have appended.
 */
export function acceptRun(claim: RunClaim): boolean {
  const { watermark, from, seq, head, intervals } = claim;
  return from >= 1 && from <= seq && from <= watermark + 1 && seq <= head && isReadable(intervals, seq);
}

/** Whether a member with these intervals may read `seq`. An interval whose join is not in the log yet reads nothing. */
export function isReadable(intervals: readonly Pick<MemberInterval, "joinedSeq" | "leftSeq">[], seq: number): boolean {
  for (const interval of intervals) {
    if (interval.joinedSeq > 0 && seq >= interval.joinedSeq && (interval.leftSeq === 0 || seq < interval.leftSeq)) {
      return true;
    }
  }
  return false;
}
