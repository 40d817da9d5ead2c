import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { FanOut, readersOf } from "../delivery/fan-out.ts";
import { newMessageFrame } from "../delivery/message-row.ts";
import { scanDown } from "../delivery/scan-log.ts";
import type { ListWrite, LogRow, MemberInterval } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { QueuedJob } from "../ports/fan-out-queue.ts";
import type { MessageLog } from "../ports/message-log.ts";

export interface ServeDeps {
  readonly log: MessageLog;
  readonly bus: Bus;
}

/** Jobs of one conversation and chunk, done as one. */
export type ChunkWork = QueuedJob;

/** What stands in one call for the same members, put together: registers make one write of many. */
export function mergeJobs(jobs: readonly QueuedJob[]): readonly ChunkWork[] {
  const works = new Map<string, ChunkWork>();
  for (const job of jobs) {
    const key = `${job.conversationId}/${job.chunk}`;
    const known = works.get(key) ?? job;
    works.set(key, {
      ...job,
      fromSeq: Math.min(known.fromSeq, job.fromSeq),
      toSeq: Math.max(known.toSeq, job.toSeq),
      membership: Math.max(known.membership, job.membership),
      enqueuedAt: Math.min(known.enqueuedAt, job.enqueuedAt),
    });
  }
  return [...works.values()];
}

/** What a chunk is to be told. */
export interface ChunkReading {
  /** One a member. */
  readonly writes: readonly ListWrite[];
  /** Ascending. */
  readonly rows: readonly LogRow[];
}

/**
 * Of more than fanOutPushRows rows, or a page of bytes, only the newest are pushed; a device sees the hole below them and
 * asks. Rows that are not in the log any more are passed over.
 */
export async function readChunk(
  log: MessageLog,
  { conversationId, fromSeq, toSeq }: ChunkWork,
  intervals: readonly MemberInterval[],
): Promise<ChunkReading> {
  const fanOut = new FanOut(conversationId, { kind: "group", intervals });
  const newest: LogRow[] = [];
  let bytes = 0;
  await scanDown(log, conversationId, fromSeq, toSeq, "latest", (row) => {
    fanOut.add(row);
    bytes += row.envelope.length;
    const fits = newest.length < limits.fanOutPushRows && bytes <= limits.pageBytesMax;
    if (fits || newest.length === 0) newest.push(row);
    return false;
  });
  return { writes: fanOut.writes, rows: newest.toReversed() };
}

/** Lists the rows for some members of the chunk, durably, then pushes them to their devices: all repeatable. */
export async function serveMembers(
  { log, bus }: ServeDeps,
  conversationId: Uuid,
  rows: readonly LogRow[],
  intervals: readonly MemberInterval[],
  writes: readonly ListWrite[],
): Promise<void> {
  await log.writeLists(writes);
  const served = new Set(writes.map(({ userId }) => userId));
  const readership = { kind: "group", intervals: intervals.filter(({ userId }) => served.has(userId)) } as const;
  for (const row of rows) {
    const userIds = readersOf(readership, row);
    if (userIds.length > 0) bus.deliver({ userIds, frame: newMessageFrame(conversationId, row) });
  }
}
