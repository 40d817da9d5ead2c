import type { Clock, Timer } from "../../base/clock.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { MemberIntervals } from "../membership/member-intervals.ts";
import { bucketOf, type LogRow } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { isReadable } from "./watermark-rule.ts";

/**
 * Tells the members of a group whose own rows a receipt newly covers, and nobody else: they are the ones who look at the
 * ticks. Receipts of one group are gathered for groupUpdateCoalesceMs; then one log read finds the senders of the newest
 * groupStatusRows rows that were covered, and each receipt goes to at most groupStatusTargetsMax of them. So 1,024 members
 * confirming one message are 1,024 small frames to one user, not 1,024 × 1,024; and no more than groupStatusFramesMax of them at
 * a time, or they would fill that user's send queue: the rest, at most one a member, waits for the next turn.
 *
 * States of a group: absent → gathering (timer runs) → gathering (some are left) | absent. All of it may be lost: who opens the chat reads the
 * receipts themselves, so a failed read or a full table drops the push and nothing else.
 */
export interface GroupStatus {
  /** `before` and `after`: the member's watermarks; `after.readSeq` only as far as the member shares it, else 0. */
  note(groupId: Uuid, userId: Uuid, before: Watermarks, after: Watermarks): void;
}

export interface Watermarks {
  readonly recvSeq: number;
  readonly readSeq: number;
}

interface Gathered {
  /** Lowest watermark that moved: rows above it are newly covered. */
  readonly above: number;
  readonly recvSeq: number;
  readonly readSeq: number;
}

export interface GroupStatusDeps {
  readonly log: MessageLog;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly intervals: MemberIntervals;
}

export function createGroupStatus(deps: GroupStatusDeps): GroupStatus {
  const gathering = new Map<Uuid, Map<Uuid, Gathered>>();

  const flush = async (groupId: Uuid): Promise<void> => {
    const updates = gathering.get(groupId);
    gathering.delete(groupId);
    if (updates === undefined) return;
    const entries = [...updates];
    const later = entries.slice(limits.groupStatusFramesMax);
    if (later.length > 0) {
      gathering.set(groupId, new Map(later));
      scheduleFlush(deps.clock, () => flush(groupId));
    }
    await tell(deps, groupId, new Map(entries.slice(0, limits.groupStatusFramesMax)));
  };

  return {
    note(groupId, userId, before, after) {
      const above = lowestMoved(before, after);
      if (above === undefined) return;
      let updates = gathering.get(groupId);
      if (updates === undefined) {
        if (gathering.size >= limits.groupStatusGroupsMax) return;
        updates = new Map();
        gathering.set(groupId, updates);
        scheduleFlush(deps.clock, () => flush(groupId));
      }
      const earlier = updates.get(userId);
      updates.set(userId, {
        above: Math.min(above, earlier?.above ?? above),
        recvSeq: Math.max(after.recvSeq, earlier?.recvSeq ?? 0),
        readSeq: Math.max(after.readSeq, earlier?.readSeq ?? 0),
      });
    },
  };
}

function scheduleFlush(clock: Clock, flush: () => Promise<void>): Timer {
  return clock.schedule(limits.groupUpdateCoalesceMs, () => {
    // A store that fails here loses pushes that may be lost; the next receipt or the opening of the chat brings the ticks.
    flush().catch(() => undefined);
  });
}

function lowestMoved(before: Watermarks, after: Watermarks): number | undefined {
  const recv = after.recvSeq > before.recvSeq ? before.recvSeq : undefined;
  const read = after.readSeq > before.readSeq ? before.readSeq : undefined;
  if (recv === undefined) return read;
  return read === undefined ? recv : Math.min(recv, read);
}

async function tell(deps: GroupStatusDeps, groupId: Uuid, updates: ReadonlyMap<Uuid, Gathered>): Promise<void> {
  const covered = await newestCovered(deps.log, groupId, [...updates.values()]);
  const senders = await stillMembers(deps.intervals, groupId, new Set(covered.map((row) => row.senderId)));
  const rows = covered.filter((row) => senders.has(row.senderId));
  for (const [userId, update] of updates) {
    const userIds = targetsOf(rows, userId, update);
    if (userIds.length === 0) continue;
    const { recvSeq, readSeq } = update;
    const status = { conversation_id: groupId, user_id: userId, recv_seq: recvSeq, read_seq: readSeq };
    deps.bus.deliver({ userIds, frame: { type: "STATUS_UPDATE", ...status } });
  }
}

/** Descending; of the newest bucket only: older rows are rarely looked at, and never worth a second read. */
async function newestCovered(log: MessageLog, groupId: Uuid, updates: readonly Gathered[]): Promise<readonly LogRow[]> {
  let top = 0;
  let above = Number.MAX_SAFE_INTEGER;
  for (const update of updates) {
    top = Math.max(top, update.recvSeq, update.readSeq);
    above = Math.min(above, update.above);
  }
  const from = Math.max(above + 1, top - limits.groupStatusRows + 1);
  const page = await log.readBucket(
    groupId,
    bucketOf(top, log.bucketRows),
    from,
    top,
    limits.groupStatusRows,
    "latest",
  );
  return page.rows;
}

function targetsOf(rows: readonly LogRow[], userId: Uuid, update: Gathered): readonly Uuid[] {
  const targets = new Set<Uuid>();
  const to = Math.max(update.recvSeq, update.readSeq);
  for (const row of rows) {
    if (targets.size === limits.groupStatusTargetsMax) break;
    if (row.seq > update.above && row.seq <= to && row.senderId !== userId) targets.add(row.senderId);
  }
  return [...targets];
}

/** One who left wrote these rows, but is told nothing of what happens in the group any more. */
async function stillMembers(
  intervals: MemberIntervals,
  groupId: Uuid,
  userIds: ReadonlySet<Uuid>,
): Promise<ReadonlySet<Uuid>> {
  const members = new Set<Uuid>();
  for (const userId of userIds) {
    if (isReadable(await intervals.of(groupId, userId, false), Number.MAX_SAFE_INTEGER)) members.add(userId);
  }
  return members;
}
