import { fetchV13, NetworkError, ResponseError, type Admin, type ConnectionPool } from "@platformatic/kafka";

export interface Place {
  readonly partition: number;
  readonly offset: bigint;
}

export interface FetchBounds {
  /** The broker answers when there is anything, or after this. */
  readonly waitMs: number;
  readonly bytesPerPartitionMax: number;
}

export interface FetchedRecord {
  readonly offset: bigint;
  /** Wall-clock ms of whoever put it in. */
  readonly timestampMs: number;
  readonly value: Buffer | null;
}

export interface FetchedPartition {
  readonly partition: number;
  /** Of Kafka; 0 = none. */
  readonly errorCode: number;
  readonly records: readonly FetchedRecord[];
  /** Where to go on. */
  readonly next: bigint;
}

const bytesMax = 4 * 1024 * 1024;
/** Batches of transactions tell about themselves in records of their own. */
const controlBatch = 0b10_0000;

/** Node → what is to be read from it. What no node leads now is left out. */
export async function byLeader<Want extends Place>(
  admin: Admin,
  topic: string,
  wants: readonly Want[],
): Promise<ReadonlyMap<number, readonly Want[]>> {
  const metadata = await admin.metadata({ topics: [topic] });
  const led = new Map<number, Want[]>();
  for (const want of wants) {
    const leader = metadata.topics.get(topic)?.partitions[want.partition]?.leader ?? -1;
    if (!metadata.brokers.has(leader)) continue;
    const of = led.get(leader);
    if (of === undefined) led.set(leader, [want]);
    else of.push(want);
  }
  return led;
}

/**
 * Reads from one node, each partition from its place on, without a session: what is wanted changes with every request.
 * A partition that cannot be read says why in its errorCode. Rejects with the driver's error when there was no answer.
 */
export async function fetchRecords(
  admin: Admin,
  pool: ConnectionPool,
  topic: string,
  node: number,
  places: readonly Place[],
  { waitMs, bytesPerPartitionMax }: FetchBounds,
): Promise<readonly FetchedPartition[]> {
  const { brokers, topics } = await admin.metadata({ topics: [topic] });
  const [broker, topicId] = [brokers.get(node), topics.get(topic)?.id];
  if (broker === undefined || topicId === undefined) throw new NetworkError(`Node ${node} is not in the cluster now.`);
  const connection = await pool.get(broker);
  const partitions = places.map(({ partition, offset }) => ({
    partition,
    fetchOffset: offset,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    partitionMaxBytes: bytesPerPartitionMax,
  }));
  const answer = await fetchV13.api
    .async(connection, waitMs, 1, bytesMax, 0, 0, -1, [{ topicId, partitions }], [], "")
    .catch(inspect);
  const wanted = new Map(places.map(({ partition, offset }) => [partition, offset]));
  return answer.responses
    .flatMap((each) => each.partitions)
    .flatMap((found) => {
      const from = wanted.get(found.partitionIndex);
      return from === undefined ? [] : [unpack(found, from)];
    });
}

type Answer = Awaited<ReturnType<typeof fetchV13.api.async>>;

/** An answer that is good for some partitions and not for others comes as an error. */
function inspect(error: unknown): Answer {
  const answer = error instanceof ResponseError ? (error as { response?: Answer }).response : undefined;
  if (answer === undefined || answer.errorCode !== 0) throw error;
  return answer;
}

function unpack(found: Answer["responses"][number]["partitions"][number], from: bigint): FetchedPartition {
  const records: FetchedRecord[] = [];
  let next = from;
  for (const batch of found.records ?? []) {
    const after = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (after > next) next = after;
    if ((batch.attributes & controlBatch) !== 0) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      // A batch is given whole, from its beginning.
      if (offset < from) continue;
      records.push({ offset, timestampMs: Number(batch.firstTimestamp + record.timestampDelta), value: record.value });
    }
  }
  return { partition: found.partitionIndex, errorCode: found.errorCode, records, next };
}
