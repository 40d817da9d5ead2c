import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { countReceipts, type ReceiptCount } from "../../protocol/receipt-math.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, ReceiptsApi, ReceiptsPage } from "../api.ts";
import { isGroupId, type MemberIntervals } from "../membership/member-intervals.ts";
import { bucketOf, type MemberInterval, type ReceiptRow } from "../model.ts";
import type { ConversationLists } from "../ports/conversation-lists.ts";
import type { Groups } from "../ports/groups.ts";
import type { MessageLog } from "../ports/message-log.ts";
import type { Receipts } from "../ports/receipts.ts";
import type { Users } from "../ports/users.ts";

export interface ReceiptsPageDeps {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly receipts: Receipts;
  readonly groups: Groups;
  readonly users: Users;
  readonly intervals: MemberIntervals;
}

type MemberLine = ReceiptsPage["members"][number];

/** Everyone in the largest group and as many who left: what fits a page of bytes, however long a group has lived. */
const linesMax = 2 * limits.membersPerGroupMax;

/**
 * Who got what and who read what, in one read of the receipts partition, whatever the number of members or messages.
 * One who left sees the state up to the own last row. Those who give no read receipts see none. Counts are of everybody; of
 * those who left only the last are told by name.
 */
export function createReceiptsPage(deps: ReceiptsPageDeps): ReceiptsApi["page"] {
  return async (caller, conversationId, seq) => {
    const [own, members] = await Promise.all([
      deps.intervals.of(conversationId, caller.userId, false),
      isGroupId(conversationId) ? groupMembers(deps, conversationId) : directMembers(deps, caller, conversationId),
    ]);
    const latest = latestInterval(own);
    if (latest === undefined) throw new WireError("no_such_conversation");
    const [rows, viewer] = await Promise.all([deps.receipts.all(conversationId), deps.users.byId(caller.userId)]);
    const byUser = new Map(rows.map((row) => [row.userId, row]));
    const showRead = viewer?.settings.readReceipts !== false;
    const lines = members.map((member) => {
      const line = lineOf(member, byUser.get(member.userId), showRead || member.userId === caller.userId);
      return latest.leftSeq === 0 ? line : clampLine(line, latest.leftSeq - 1);
    });
    return {
      members: bounded(lines),
      count: seq === undefined ? undefined : await countFor(deps, caller, conversationId, lines, seq),
    };
  };
}

function bounded(lines: readonly MemberLine[]): readonly MemberLine[] {
  if (lines.length <= linesMax) return lines;
  const rank = ({ leftSeq }: MemberLine): number => (leftSeq === 0 ? Infinity : leftSeq);
  return lines
    .toSorted((one, other) => (rank(one) < rank(other) ? 1 : rank(one) > rank(other) ? -1 : 0))
    .slice(0, linesMax);
}

/** Everyone who ever was a member, each with the current or latest interval. */
async function groupMembers(deps: ReceiptsPageDeps, groupId: Uuid): Promise<readonly MemberInterval[]> {
  const latest = new Map<Uuid, MemberInterval>();
  for (const interval of await deps.groups.intervals(groupId, undefined)) {
    const known = latest.get(interval.userId);
    if (interval.joinedSeq > 0 && interval.joinedSeq >= (known?.joinedSeq ?? 0)) latest.set(interval.userId, interval);
  }
  return [...latest.values()];
}

async function directMembers(
  deps: ReceiptsPageDeps,
  caller: Caller,
  conversationId: Uuid,
): Promise<readonly MemberInterval[]> {
  const row = await deps.lists.one(caller.userId, conversationId);
  if (row?.peerId === undefined) throw new WireError("no_such_conversation");
  return [...new Set([caller.userId, row.peerId])].map((userId) => ({ userId, joinedSeq: 1, leftSeq: 0 }));
}

function latestInterval(intervals: readonly MemberInterval[]): MemberInterval | undefined {
  return intervals.findLast((interval) => interval.joinedSeq > 0);
}

function lineOf(member: MemberInterval, row: ReceiptRow | undefined, showRead: boolean): MemberLine {
  return {
    userId: member.userId,
    recvSeq: row?.recvSeq ?? 0,
    recvAt: row?.recvAt ?? 0,
    readSeq: showRead ? (row?.readSeq ?? 0) : 0,
    readAt: showRead ? (row?.readAt ?? 0) : 0,
    joinedSeq: member.joinedSeq,
    leftSeq: member.leftSeq,
  };
}

/** A watermark beyond `seqMax` is shown at it, without its time, which belongs to a row that this viewer may not know of. */
function clampLine(line: MemberLine, seqMax: number): MemberLine {
  return {
    ...line,
    ...(line.recvSeq > seqMax ? { recvSeq: seqMax, recvAt: 0 } : {}),
    ...(line.readSeq > seqMax ? { readSeq: seqMax, readAt: 0 } : {}),
    leftSeq: line.leftSeq > seqMax + 1 ? 0 : line.leftSeq,
  };
}

/** For a message of the caller. One that its recipient never sees is delivered to nobody, whatever the watermarks pass over. */
async function countFor(
  deps: ReceiptsPageDeps,
  caller: Caller,
  conversationId: Uuid,
  lines: readonly MemberLine[],
  seq: number,
): Promise<ReceiptCount> {
  const count = countReceipts(lines, caller.userId, seq);
  if (isGroupId(conversationId) || count.delivered === 0) return count;
  const bucket = bucketOf(seq, deps.log.bucketRows);
  const { rows } = await deps.log.readBucket(conversationId, bucket, seq, seq, 1, "latest");
  return rows[0]?.visibility === 1 ? { total: count.total, delivered: 0, read: 0 } : count;
}
