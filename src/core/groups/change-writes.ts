import { FanOut } from "../delivery/fan-out.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { GroupChange, ListWrite, LogRow, MemberInterval } from "../model.ts";

/** Who enters with the change; in a list of its own the one who made the group. */
export function joinersOf(change: GroupChange): readonly Uuid[] {
  if (change.kind === "create") return [...new Set([change.actorId, ...change.userIds])];
  return change.kind === "add" ? change.userIds : [];
}

export function leaversOf(change: GroupChange): readonly Uuid[] {
  return change.kind === "remove" || change.kind === "leave" ? change.userIds : [];
}

/** Whose own membership the change is about, and who made it: their list rows never wait for the fan-out workers. */
export function touchedBy(change: GroupChange): ReadonlySet<Uuid> {
  return new Set([change.actorId, ...joinersOf(change), ...leaversOf(change)]);
}

/**
 * Reading intervals as they are once the change is settled with its row at `seq`: joiners read their own arrival. Those
 * who leave read their own removal, and their interval is open, or closed right after it, so nothing is to be done.
 */
export function intervalsAt(
  change: GroupChange,
  seq: number,
  intervals: readonly MemberInterval[],
): readonly MemberInterval[] {
  const joined = joinersOf(change)
    .filter((userId) => !intervals.some((interval) => interval.userId === userId && interval.joinedSeq === seq))
    .map((userId) => ({ userId, joinedSeq: seq, leftSeq: 0 }));
  return [...intervals, ...joined];
}

/**
 * List writes of a change whose row is `row`. Everyone who may read the row gets it as the last one. Joiners (again or for
 * the first time) start with everything before it received and read; leavers get the end of what their row may show.
 * All of it is driven by the seq of the row, so that a late repeat cannot undo a later change.
 */
export function changeWrites(
  row: LogRow,
  change: GroupChange,
  intervals: readonly MemberInterval[],
): readonly ListWrite[] {
  const { seq, ucount } = row;
  const fanOut = new FanOut(change.groupId, { kind: "group", intervals: intervalsAt(change, seq, intervals) });
  fanOut.add(row);
  for (const userId of joinersOf(change)) {
    const write = fanOut.of(userId);
    write.membership = { seq, joinedSeq: seq, leftSeq: 0, leftUcount: 0 };
    write.recvSeq = seq - 1;
    write.read = { seq: seq - 1, ucount };
  }
  for (const userId of leaversOf(change)) {
    const left = intervals.find(
      (each) =>
        each.userId === userId &&
        each.joinedSeq > 0 &&
        each.joinedSeq <= seq &&
        (each.leftSeq === 0 || each.leftSeq > seq),
    );
    if (left === undefined) continue;
    fanOut.of(userId).membership = { seq, joinedSeq: left.joinedSeq, leftSeq: seq + 1, leftUcount: ucount };
  }
  return fanOut.writes;
}
