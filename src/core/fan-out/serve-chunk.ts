import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { FanOut, readersOf } from "../delivery/fan-out.ts";
import { newMessageFrame } from "../delivery/message-row.ts";
import { scanDown } from "../delivery/scan-log.ts";
import type { LogRow, MemberInterval } from "../model.ts";
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

/**
 * Lists the rows for the members of the chunk that may read them, durably, then pushes them to their devices: all
 * repeatable. Of more than fanOutPushRows rows, or a page of bytes, only the newest are pushed; a device sees the hole below them and asks.
 * Rows that are not in the log any more are passed over. Answers how many members were served.
 */
export async function serveChunk(
  deps: ServeDeps,
  work: ChunkWork,
  intervals: readonly MemberInterval[],
): Promise<number> {
  const { conversationId, fromSeq, toSeq } = work;
  const readership = { kind: "group", intervals } as const;
  const fanOut = new FanOut(conversationId, readership);
  const newest: LogRow[] = [];
  let bytes = 0;
  await scanDown(deps.log, conversationId, fromSeq, toSeq, "latest", (row) => {
    fanOut.add(row);
    bytes += row.envelope.length;
    const fits = newest.length < limits.fanOutPushRows && bytes <= limits.pageBytesMax;
    if (fits || newest.length === 0) newest.push(row);
    return false;
  });
  const { writes } = fanOut;
  if (writes.length === 0) return 0;
  await deps.log.writeLists(writes);
  for (const row of newest.toReversed()) push(deps.bus, conversationId, row, readersOf(readership, row));
  return writes.length;
}

function push(bus: Bus, conversationId: Uuid, row: LogRow, userIds: readonly Uuid[]): void {
  if (userIds.length > 0) bus.deliver({ userIds, frame: newMessageFrame(conversationId, row) });
}
