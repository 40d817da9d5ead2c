import { ListOffsetTimestamps, type Admin } from "@platformatic/kafka";

export interface PartitionOffsets {
  /** Of the first job that is not done: where a new owner begins. */
  readonly start: bigint;
  /** Where the next job will be. */
  readonly end: bigint;
}

/** Where the group stands in every partition of the topic, in the order of the partitions. */
export async function readOffsets(admin: Admin, topic: string, group: string): Promise<readonly PartitionOffsets[]> {
  const metadata = await admin.metadata({ topics: [topic] });
  const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => partition);
  const [ends, committed] = await Promise.all([
    listOffsets(admin, topic, partitions, ListOffsetTimestamps.LATEST),
    readCommitted(admin, topic, group, partitions),
  ]);
  // Nothing was ever committed there: it begins with what the topic still has.
  const untouched = partitions.filter((partition) => !committed.has(partition));
  const firsts =
    untouched.length === 0
      ? new Map<number, bigint>()
      : await listOffsets(admin, topic, untouched, ListOffsetTimestamps.EARLIEST);
  return partitions.map((partition) => ({
    start: committed.get(partition) ?? firsts.get(partition) ?? 0n,
    end: ends.get(partition) ?? 0n,
  }));
}

/** Of the oldest job that the partition still has, served or not. */
export async function readFirst(admin: Admin, topic: string, partition: number): Promise<bigint> {
  const firsts = await listOffsets(admin, topic, [partition], ListOffsetTimestamps.EARLIEST);
  return firsts.get(partition) ?? 0n;
}

export function countWaiting(offsets: readonly PartitionOffsets[]): number {
  return offsets.reduce((sum, { start, end }) => sum + Math.max(0, Number(end - start)), 0);
}

async function listOffsets(
  admin: Admin,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<ReadonlyMap<number, bigint>> {
  const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }));
  const answer = await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] });
  const found = answer.flatMap((each) => each.partitions);
  return new Map(found.map(({ partitionIndex, offset }) => [partitionIndex, offset]));
}

async function readCommitted(
  admin: Admin,
  topic: string,
  group: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, bigint>> {
  const asked = { groupId: group, topics: [{ name: topic, partitionIndexes: [...partitions] }] };
  const answer = await admin.listConsumerGroupOffsets({ groups: [asked] });
  const found = answer.flatMap(({ topics }) => topics).flatMap((each) => each.partitions);
  return new Map(
    found
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  );
}
