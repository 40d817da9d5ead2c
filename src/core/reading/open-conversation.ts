import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller } from "../api.ts";
import { needsRepair, repairLists } from "../delivery/repair.ts";
import type { GroupNames } from "../groups/group-names.ts";
import type { MemberIntervals } from "../membership/member-intervals.ts";
import type { ListRow, MemberInterval } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { ConversationLists } from "../ports/conversation-lists.ts";
import type { Groups } from "../ports/groups.ts";
import type { MessageLog } from "../ports/message-log.ts";
import type { View } from "./read-page.ts";
import { readableRuns } from "./seq-runs.ts";

export interface ReadingDeps {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly groups: Groups;
  readonly bus: Bus;
  readonly intervals: MemberIntervals;
  readonly groupName: GroupNames;
}

/** The caller's row of a conversation. Who has none is told the same as if the conversation did not exist. */
export async function ownRow(deps: ReadingDeps, caller: Caller, conversationId: Uuid): Promise<ListRow> {
  const row = await deps.lists.one(caller.userId, conversationId);
  if (row === undefined) throw new WireError("no_such_conversation");
  return row;
}

/**
 * What the caller may see, from the groups port: the list row only follows it. But it may follow sooner than the memory of
 * this process hears of a join, and sooner than the join is settled: what it knows and the intervals do not is asked for
 * again, and left undecided if the answer is the same.
 */
export async function viewOf(deps: ReadingDeps, caller: Caller, row: ListRow): Promise<View> {
  let intervals = await deps.intervals.of(row.conversationId, caller.userId, false);
  if (!knowsJoin(intervals, row)) intervals = await deps.intervals.of(row.conversationId, caller.userId, true);
  const decidedSeq = knowsJoin(intervals, row) ? Infinity : Math.max(0, ...intervals.map(({ leftSeq }) => leftSeq - 1));
  return { viewerId: caller.userId, readable: readableRuns(intervals), clearedSeq: row.clearedSeq, decidedSeq };
}

function knowsJoin(intervals: readonly MemberInterval[], row: ListRow): boolean {
  if (intervals.some((interval) => interval.joinedSeq === 0)) return false;
  return row.joinedSeq === 0 || intervals.some((interval) => interval.joinedSeq === row.joinedSeq);
}

/** Repairs of one row by one request; each passes 4,096 rows, and the next request goes on where this one stopped. */
const repairsPerCheckMax = 16;

/**
 * Compares the row with the head of the log, and repairs the lists when rows stand above what the row reflects: their
 * writer may have died before it listed them, and nobody else will. Answers the row as it is then, and the head.
 */
export async function checkHead(
  deps: ReadingDeps,
  caller: Caller,
  row: ListRow,
): Promise<{ readonly row: ListRow; readonly head: number }> {
  const known = Math.max(row.lastSeq, row.checkedSeq);
  const newest = await deps.log.newestBucket(row.conversationId, known, "latest");
  const head = newest?.head.head ?? 0;
  if (!needsRepair(row, head)) return { row, head };
  let checked = known;
  for (let repair = 0; repair < repairsPerCheckMax && checked < head; repair++) {
    const done = await repairLists(deps, caller.userId, { ...row, checkedSeq: checked }, head);
    if (done <= checked) break;
    checked = done;
  }
  return { row: await ownRow(deps, caller, row.conversationId), head };
}

/** Whether everything that the owner of the row may ever read stands in it: one who left, and was told the end. */
export function isComplete(row: ListRow): boolean {
  return row.leftSeq > 0 && row.lastSeq >= row.leftSeq - 1;
}
