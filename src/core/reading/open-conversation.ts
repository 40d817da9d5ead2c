import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller } from "../api.ts";
import { needsRepair, repairLists, repairOwn } from "../delivery/repair.ts";
import type { FanOutSends } from "../fan-out/fan-out-sends.ts";
import type { LargeGroups } from "../fan-out/large-groups.ts";
import type { GroupNames } from "../groups/group-names.ts";
import type { MemberIntervals } from "../membership/member-intervals.ts";
import type { ListRow, LogHead, MemberInterval } from "../model.ts";
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
  readonly largeGroups: Pick<LargeGroups, "has">;
  readonly fanOut: FanOutSends;
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
  if (!knowsJoin(intervals, row) || !knowsLeave(intervals, row))
    intervals = await deps.intervals.of(row.conversationId, caller.userId, true);
  const decidedSeq = knowsJoin(intervals, row) ? Infinity : Math.max(0, ...intervals.map(({ leftSeq }) => leftSeq - 1));
  return { viewerId: caller.userId, readable: readableRuns(intervals), clearedSeq: row.clearedSeq, decidedSeq };
}

function knowsJoin(intervals: readonly MemberInterval[], row: ListRow): boolean {
  if (intervals.some((interval) => interval.joinedSeq === 0)) return false;
  return row.joinedSeq === 0 || intervals.some((interval) => interval.joinedSeq === row.joinedSeq);
}

/** A row that says its owner left was written before the interval was closed: what was read before may still be open. */
function knowsLeave(intervals: readonly MemberInterval[], row: ListRow): boolean {
  return row.leftSeq === 0 || intervals.some((interval) => interval.leftSeq === row.leftSeq);
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
  const own = row.kind === "group" && (await deps.largeGroups.has(row.conversationId));
  if (own && newest !== undefined) await catchUp(deps, row, newest.head);
  let checked = known;
  for (let repair = 0; repair < repairsPerCheckMax && checked < head; repair++) {
    const behind = { ...row, checkedSeq: checked };
    const done = await (own ? repairOwn : repairLists)(deps, caller.userId, behind, head);
    if (done <= checked) break;
    checked = done;
  }
  return { row: await ownRow(deps, caller, row.conversationId), head };
}

/**
 * The lists of a large group follow its log with a delay, so that being behind is no sign of a death; only what this
 * process has not put in the queue may have been lost with another one, and goes in (again). A queue that does not take
 * it costs nothing here: each reader repairs the own row.
 */
async function catchUp(deps: ReadingDeps, row: ListRow, { head, membership }: LogHead): Promise<void> {
  const { conversationId, lastSeq, checkedSeq, leftSeq } = row;
  if (leftSeq > 0 || deps.fanOut.enqueuedTo(conversationId) >= head) return;
  const from = Math.max(lastSeq, checkedSeq, deps.fanOut.enqueuedTo(conversationId)) + 1;
  await deps.fanOut.enqueue(conversationId, from, head, membership).catch(() => undefined);
}

/** Whether everything that the owner of the row may ever read stands in it: one who left, and was told the end. */
export function isComplete(row: ListRow): boolean {
  return row.leftSeq > 0 && row.lastSeq >= row.leftSeq - 1;
}
