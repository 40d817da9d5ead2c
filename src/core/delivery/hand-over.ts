import type { Uuid } from "../../protocol/ids.ts";
import { present } from "../../base/assert.ts";
import type { ListWrite, LogRow, MemberInterval } from "../model.ts";
import type { ReadMove } from "./append-writes.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import type { Round } from "./round.ts";

/**
 * Sends to large groups: the append carries only what the senders' own rows say of themselves; everything else is handed
 * to the fan-out queue once the rows are durable, and the answer waits for that.
 *
 * `last` of the senders' rows is written after the queue has the job: whoever finds a row listed may conclude that the
 * rows up to it are listed for everyone or wait in the queue (Lane.listedTo, FanOutSends).
 */

/** What the append itself writes: own rows and own watermarks of those who sent. */
export function ownWrites(
  conversationId: Uuid,
  rows: readonly LogRow[],
  reads: ReadonlyMap<Uuid, ReadMove> | undefined,
): ListWrite[] {
  const owns = new Map<Uuid, number>();
  for (const row of rows) owns.set(row.senderId, row.seq);
  return Array.from(owns, ([userId, ownSeq]) => {
    const read = reads?.get(userId);
    const write = { userId, conversationId, kind: "group" as const, ownSeq };
    return read === undefined ? write : { ...write, read };
  });
}

/**
 * Puts the rows of a round that is durable in the queue, and before them what nobody listed yet: their writer may have
 * died before it came to this. Errors: those of the queue; then the caller must come again.
 */
export async function handOver(context: LaneContext, lane: Lane, round: Round): Promise<void> {
  const { conversationId, end } = lane;
  const { rows } = round;
  const first = present(rows[0], "a row that was appended");
  const top = present(rows.at(-1), "a row that was appended");
  await context.fanOut.enqueue(conversationId, firstUnlisted(lane, first.seq), top.seq, end.membership);
  const last = { seq: top.seq, ucount: top.ucount, sender: top.senderId, at: top.sentAt };
  const userIds = new Set(rows.map((row) => row.senderId));
  const writes = Array.from(userIds, (userId) => ({ userId, conversationId, kind: "group" as const, last }));
  // At once, but nobody waits for it: the job of their chunk writes the same.
  context.ports.log.writeLists(writes).catch(() => undefined);
}

/** The lowest row that a job which ends at or above `seq` has to pass. */
export function firstUnlisted(lane: Lane, seq: number): number {
  return lane.listedTo === undefined ? seq : Math.min(lane.listedTo + 1, seq);
}

/**
 * Puts rows that were found in the log in the queue once more, and before them what nobody listed yet: their senders' rows are
 * about to say that everything up to them was. Answers the intervals of their senders alone.
 */
export async function handOverAgain(
  context: LaneContext,
  lane: Lane,
  rows: readonly LogRow[],
  intervals: readonly MemberInterval[],
): Promise<readonly MemberInterval[]> {
  const seqs = rows.map((row) => row.seq);
  const from = firstUnlisted(lane, Math.min(...seqs));
  const to = Math.max(...seqs);
  await context.fanOut.enqueue(lane.conversationId, from, to, lane.end.membership);
  if (lane.listedTo !== undefined) lane.listedTo = Math.max(lane.listedTo, to);
  const senders = new Set(rows.map((row) => row.senderId));
  return intervals.filter(({ userId }) => senders.has(userId));
}
