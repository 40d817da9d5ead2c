import type { Admin, ConnectionPool } from "@platformatic/kafka";
import type { FanOutLag } from "../../core/ports/fan-out-queue.ts";
import { byLeader, fetchRecords, type Place } from "./fetch-records.ts";
import { countWaiting, readOffsets } from "./offsets.ts";

/** Enough for the first batch of most partitions, which is all that is looked at. */
const peek = { waitMs: 0, bytesPerPartitionMax: 16 * 1024 };

/** Of the whole group, whoever serves it. Errors: the driver's. */
export async function readLag(
  admin: Admin,
  pool: ConnectionPool,
  topic: string,
  group: string,
  nowMs: number,
): Promise<FanOutLag> {
  const offsets = await readOffsets(admin, topic, group);
  const behind = offsets.flatMap(({ start, end }, partition) => (end > start ? [{ partition, offset: start }] : []));
  if (behind.length === 0) return { jobsWaiting: 0, oldestAt: 0 };
  const led = await byLeader(admin, topic, behind);
  const times = await Promise.all([...led].map(([node, places]) => readTimes(admin, pool, topic, node, places)));
  const oldestAt = Math.min(Number.POSITIVE_INFINITY, ...times.flat());
  return { jobsWaiting: countWaiting(offsets), oldestAt: Number.isFinite(oldestAt) ? oldestAt : nowMs };
}

/**
 * When the first job of each of these partitions was put in. Of the batches that are larger than what is asked for a broker
 * gives only the first of an answer, so those that came without one are asked for again.
 */
async function readTimes(
  admin: Admin,
  pool: ConnectionPool,
  topic: string,
  node: number,
  places: readonly Place[],
): Promise<readonly number[]> {
  const times: number[] = [];
  let left = places;
  while (left.length > 0) {
    const found = await fetchRecords(admin, pool, topic, node, left, peek);
    const seen = new Set<number>();
    for (const { partition, records } of found) {
      if (records[0] === undefined) continue;
      times.push(records[0].timestampMs);
      seen.add(partition);
    }
    if (seen.size === 0) break;
    left = left.filter(({ partition }) => !seen.has(partition));
  }
  return times;
}
