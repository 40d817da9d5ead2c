import type { Admin, ConnectionPool } from "@platformatic/kafka";
import type { FanOutLag } from "../../core/ports/fan-out-queue.ts";
import { byLeader, fetchRecords } from "./fetch-records.ts";
import { countWaiting, readOffsets } from "./offsets.ts";

/** Enough for the first batch of a partition, which is all that is looked at. */
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
  let oldestAt = Number.POSITIVE_INFINITY;
  const led = await byLeader(admin, topic, behind);
  const found = await Promise.all([...led].map(([node, at]) => fetchRecords(admin, pool, topic, node, at, peek)));
  for (const { records } of found.flat()) oldestAt = Math.min(oldestAt, records[0]?.timestampMs ?? oldestAt);
  return { jobsWaiting: countWaiting(offsets), oldestAt: Number.isFinite(oldestAt) ? oldestAt : nowMs };
}
