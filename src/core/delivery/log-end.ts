import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { bucketOf, emptyHead } from "../model.ts";
import type { Consistency } from "../ports/message-log.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import { fanOutAgain } from "./repair.ts";

/** Learns the end of the log from the store. Serial after an open outcome, or when asked. */
export async function loadEnd(context: LaneContext, lane: Lane, wanted: Consistency): Promise<void> {
  const consistency = lane.doubted ? "serial" : wanted;
  const ticket = context.tickets.last + 1;
  const newest = await context.ports.log.newestBucket(lane.conversationId, lane.hintSeq, consistency);
  lane.learn(newest?.head ?? emptyHead);
  if (consistency === "serial") lane.serialTicket = ticket;
}

/** Learns from the list row of one who sends how far the lists are, and a seq that is surely in the log. */
export async function loadListed(context: LaneContext, lane: Lane, userId: Uuid): Promise<void> {
  const row = await context.ports.lists.one(userId, lane.conversationId);
  if (row !== undefined && row.leftSeq === 0) {
    if (!lane.known) lane.hintSeq = Math.max(lane.hintSeq, row.lastSeq);
    lane.listedTo = Math.max(row.lastSeq, row.checkedSeq);
    lane.raiseReadSeq(userId, row.readSeq);
  } else if (lane.kind === "direct") {
    lane.listedTo = 0;
  }
}

/**
 * Rows that others appended since this lane last knew the log get their list rows once more (see repair.ts): their writer
 * may be dead, and the rows that this lane is about to put on top would hide that.
 */
export async function repairBehind(context: LaneContext, lane: Lane): Promise<void> {
  const { listedTo, end } = lane;
  if (listedTo === undefined || listedTo >= end.head) return;
  const from = Math.max(listedTo, end.head - limits.dedupeRowsMax) + 1;
  await fanOutAgain(context.ports, lane.conversationId, lane.peers, from, end.head);
  lane.listedTo = end.head;
}

/**
 * Before a bucket is opened: only a serial read of the one before proves that it is full, that its last seq is the head,
 * and which membership and counters the new one starts with. Answers false when the lane was wrong and has to learn anew.
 */
export async function proveBorder(context: LaneContext, lane: Lane): Promise<boolean> {
  const { head, membership } = lane.end;
  const { log } = context.ports;
  const bucket = bucketOf(head, log.bucketRows);
  const page = await log.readBucket(lane.conversationId, bucket, head, head, 1, "serial");
  const full = page.head?.head === head && page.rows[0]?.seq === head && page.rows.length === 1;
  if (!full || page.head?.membership !== membership) {
    lane.forget();
    return false;
  }
  lane.end = page.head;
  lane.borderProven = true;
  return true;
}
