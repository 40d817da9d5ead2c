import { WireError } from "../../protocol/wire-errors.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { createGroupView, type GroupView } from "../directory-cache.ts";
import type { LaneContext } from "../delivery/lane-context.ts";
import type { Lane } from "../delivery/lane.ts";
import { loadEnd, loadListed, proveBorder, repairBehind } from "../delivery/log-end.ts";
import { systemRow } from "../delivery/message-row.ts";
import { firstUnlisted } from "../delivery/hand-over.ts";
import { scanDown } from "../delivery/scan-log.ts";
import type { Group, GroupChange, ListWrite, LogRow, MemberInterval } from "../model.ts";
import { isLarge } from "../fan-out/chunks.ts";
import { changeWrites, touchedBy } from "./change-writes.ts";
import { pushChange, readMovedRegisters } from "./push-change.ts";

/**
 * The relational store commits a change first; the log follows with a system row whose append moves the log's membership
 * from v−1 to v; then list rows and intervals are settled. A process may die between any two of these steps, and two may
 * finish the same change at once: every step is idempotent, and whether the row was appended is told by the log's
 * membership alone.
 *
 *   committed (seq 0) → appended (membership ≥ v) → listed → settled (seq known) → told
 *
 * Of a large group only those whom the change is about are listed here; the rest is in the fan-out queue before the change
 * is settled.
 */
const roundsMax = 8;
const attemptsMax = 16;
const changesPerRead = 64;

/**
 * Finishes every change of the lane's group that is still open and leaves the lane with an end whose membership is that of
 * the group. Answers the group, or undefined if there is none. To be called inside the lane.
 * Errors: WireError of the stores; `store_unavailable` when the group or the log will not hold still.
 */
export async function finishChanges(context: LaneContext, lane: Lane): Promise<GroupView | undefined> {
  const { groups, clock } = context.ports;
  const groupId = lane.conversationId;
  context.directory.forgetGroup(groupId);
  for (let round = 0; round < roundsMax; round++) {
    const ticket = context.tickets.last + 1;
    const readAt = clock.monotonicMs();
    const group = await groups.load(groupId);
    if (group === undefined) return undefined;
    // After the group: a change that is committed in between shows up here, or its version is not in the log yet.
    const open = await groups.pending(groupId, changesPerRead);
    for (const change of open) await finishChange(context, lane, group, change);
    if (!lane.known) await loadEnd(context, lane, round > 1 ? "serial" : "latest");
    if (open.length > 0) continue;
    if (lane.end.membership === group.membership && group.members.every((member) => member.joinedSeq > 0)) {
      const view = createGroupView(group, ticket, readAt);
      context.directory.put(view);
      return view;
    }
    lane.forget();
  }
  throw new WireError("store_unavailable", { detail: "The group changes faster than its log." });
}

async function finishChange(context: LaneContext, lane: Lane, group: Group, change: GroupChange): Promise<void> {
  const { groups, bus, lists } = context.ports;
  const intervals = await groups.intervals(change.groupId, undefined);
  const row = await appendChange(context, lane, change, intervals);
  const registers = await readMovedRegisters(lists, change, intervals);
  try {
    await groups.settle(change.groupId, change.version, row.seq);
  } finally {
    // Also without an answer: if it was settled after all, nobody will come to finish it and tell.
    void bus.announce({ notice: "group_changed", groupId: change.groupId, version: change.version });
    pushChange(bus, group, change, row, intervals, registers);
  }
}

/** The system row of the change, in the log and in the lists when this resolves, whoever appended it. */
async function appendChange(
  context: LaneContext,
  lane: Lane,
  change: GroupChange,
  intervals: readonly MemberInterval[],
): Promise<LogRow> {
  const { log } = context.ports;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (!lane.known) await loadEnd(context, lane, attempt > 1 ? "serial" : "latest");
    if (lane.end.membership >= change.version) {
      const row = await findChangeRow(context, lane, change);
      if (row !== undefined) {
        const writes = changeWrites(row, change, intervals);
        await log.writeLists(writesAtOnce(writes, change));
        if (isLarge(writes.length)) await handOverChange(context, lane, change, row.seq);
        return row;
      }
      lane.forget();
      continue;
    }
    if (lane.end.membership < change.version - 1) {
      // The changes before it are settled, so this end is an old one.
      lane.forget();
      continue;
    }
    if (lane.listedTo === undefined) await loadListed(context, lane, change.actorId);
    const large = isLarge(changeWrites(nextRow(context, lane, change), change, intervals).length);
    // Rows that nobody listed must not disappear below this one.
    if (large) await context.fanOut.ready();
    else await repairBehind(context, lane);
    if (lane.room(log.bucketRows) === 0 && !(await proveBorder(context, lane))) continue;
    const row = nextRow(context, lane, change);
    const lists = writesAtOnce(changeWrites(row, change, intervals), change);
    if (!(await appended(context, lane, row, change, lists))) continue;
    if (large) await handOverChange(context, lane, change, row.seq);
    return row;
  }
  throw new WireError("store_unavailable", { undecided: true });
}

/** All of them, unless they are too many for one append. */
function writesAtOnce(writes: readonly ListWrite[], change: GroupChange): readonly ListWrite[] {
  if (!isLarge(writes.length)) return writes;
  const touched = touchedBy(change);
  return writes.filter(({ userId }) => touched.has(userId));
}

/** The change stays open until this was done, so whoever dies before it leaves it to the next one. */
async function handOverChange(context: LaneContext, lane: Lane, change: GroupChange, seq: number): Promise<void> {
  const from = firstUnlisted(lane, seq);
  // Not before the queue has it.
  lane.listedTo = from - 1;
  await context.fanOut.enqueue(change.groupId, from, seq, change.version);
  lane.listedTo = seq;
}

function nextRow(context: LaneContext, lane: Lane, change: GroupChange): LogRow {
  const { head, headAt, headUcount } = lane.end;
  return systemRow(change, head + 1, Math.max(context.ports.clock.nowMs(), headAt), headUcount);
}

async function appended(
  context: LaneContext,
  lane: Lane,
  row: LogRow,
  change: GroupChange,
  lists: readonly ListWrite[],
): Promise<boolean> {
  const { log } = context.ports;
  const { end, conversationId } = lane;
  const { outcome } = await log.append({
    conversationId,
    bucket: Math.floor(end.head / log.bucketRows),
    opens: end.head % log.bucketRows === 0,
    expect: end,
    rows: [row],
    membership: change.version,
    lists,
  });
  if (outcome === "appended") {
    lane.advance([row], change.version);
    return true;
  }
  lane.forget();
  if (outcome === "undecided") lane.doubted = true;
  return false;
}

/** Somewhere after `since`: the log's membership says that it is there. */
async function findChangeRow(context: LaneContext, lane: Lane, change: GroupChange): Promise<LogRow | undefined> {
  let found: LogRow | undefined;
  const consistency = lane.doubted ? "serial" : "latest";
  const { conversationId } = lane;
  await scanDown(context.ports.log, conversationId, change.since + 1, lane.end.head, consistency, (row) => {
    if (isRowOf(row, change.messageId, change.actorId)) found = row;
    return found !== undefined;
  });
  return found;
}

function isRowOf(row: LogRow, messageId: Uuid, actorId: Uuid): boolean {
  return row.messageId === messageId && row.senderId === actorId;
}
