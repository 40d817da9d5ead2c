import { Producer } from "@platformatic/kafka";
import { expect, onTestFinished, test, vi } from "vitest";
import type { QueuedJob } from "../../../src/core/ports/fan-out-queue.ts";
import { encodeJob } from "../../../src/stores/kafka/job-codec.ts";
import { inspectKafka } from "../../../src/stores/kafka/inspect.ts";
import { clientOptions, fanOutGroup, fanOutTopic, type KafkaSettings } from "../../../src/stores/kafka/settings.ts";
import { describeTopic } from "../../../src/stores/kafka/topic.ts";
import { newId } from "../../contract/durable-harness.ts";
import { eventually } from "../../helpers/eventually.ts";
import { deleteTopic, LogLines, openTestQueue, ownKafkaSettings, withAdmin } from "../../helpers/kafka.ts";
import { describeOn } from "../../helpers/real-stores.ts";

async function makeTopic(settings: KafkaSettings, partitions: number, configs: Record<string, string> = {}) {
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const topics = [fanOutTopic(settings)];
  await withAdmin(settings, (admin) => admin.createTopics({ topics, partitions, replicas: 1, configs: entries }));
  onTestFinished(() => deleteTopic(settings));
}

/** Another topic of the same name has another. Rejects while there is none. */
async function topicId(settings: KafkaSettings): Promise<string | undefined> {
  const topic = fanOutTopic(settings);
  const { topics } = await withAdmin(settings, (admin) => admin.metadata({ topics: [topic], forceUpdate: true }));
  return topics.get(topic)?.id;
}

/** The group has formed, and its members know what they serve. */
async function expectMember(settings: KafkaSettings): Promise<void> {
  const group = fanOutGroup(settings);
  const groups = await withAdmin(settings, (admin) => admin.describeGroups({ groups: [group] }));
  expect(groups.get(group)?.state).toBe("Stable");
}

describeOn(["kafka"], "the topic of large groups", () => {
  test("is made by the first of any number of servers, with what it needs", async () => {
    const settings = ownKafkaSettings();
    expect(await inspectKafka(settings)).toEqual({ objection: undefined, warnings: [] });
    const queues = await Promise.all([1, 2, 3].map(() => openTestQueue(settings)));
    onTestFinished(() => deleteTopic(settings));
    for (const queue of queues) await queue.ready();
    expect(await withAdmin(settings, (admin) => describeTopic(admin, fanOutTopic(settings)))).toEqual({
      partitions: 64,
      retentionMs: 604_800_000,
      retentionBytes: -1,
      cleanupPolicy: "delete",
    });
    expect(await inspectKafka(settings)).toEqual({ objection: undefined, warnings: [] });
    for (const queue of queues) await queue.close();
  });

  test("with too few partitions is not used: the server and the doctor name the command that mends it, and then it is", async () => {
    const settings = ownKafkaSettings();
    await makeTopic(settings, 3);
    const topic = fanOutTopic(settings);
    const named = {
      store: "kafka",
      message: `Kafka's topic ${topic} has 3 partitions; it needs 64.`,
      fix: `kafka-topics.sh --bootstrap-server ${settings.brokers} --alter --topic ${topic} --partitions 64`,
    };
    const log = new LogLines();
    const queue = await openTestQueue(settings, log);
    await expect(queue.ready()).rejects.toMatchObject({ code: "store_unavailable" });
    expect(log.lines).toEqual([expect.stringContaining(named.fix)]);
    expect((await inspectKafka(settings)).objection).toMatchObject(named);
    const topics = [{ name: topic, count: 64, assignments: null }];
    await withAdmin(settings, (admin) => admin.createPartitions({ topics }));
    await eventually(() => queue.ready());
    await queue.close();
  });

  test("that grows while a server serves it is served whole", async () => {
    const settings = ownKafkaSettings();
    await makeTopic(settings, 3);
    const queue = await openTestQueue(settings);
    const served = new Set<string>();
    const consumption = await queue.consume(async (jobs) => {
      for (const { conversationId } of jobs) served.add(conversationId);
    });
    await eventually(() => expectMember(settings));
    const topics = [{ name: fanOutTopic(settings), count: 64, assignments: null }];
    await withAdmin(settings, (admin) => admin.createPartitions({ topics }));
    await eventually(() => queue.ready());
    const conversations = Array.from({ length: 256 }, () => newId());
    await queue.enqueue(
      conversations.map((conversationId) => ({ conversationId, fromSeq: 1, toSeq: 1, chunk: 0, membership: 1 })),
    );
    await eventually(() => expect(conversations.filter((each) => !served.has(each))).toEqual([]));
    await consumption.stop();
    await queue.close();
  });

  test("that forgets jobs after an hour is used, with a warning", async () => {
    const settings = ownKafkaSettings();
    await makeTopic(settings, 64, { "retention.ms": "3600000", "retention.bytes": "-1" });
    const log = new LogLines();
    const queue = await openTestQueue(settings, log);
    await queue.ready();
    await queue.close();
    expect(log.lines.filter((line) => line.startsWith("warn"))).toEqual([
      expect.stringContaining("forgets jobs after 1 h"),
    ]);
    const { warnings } = await inspectKafka(settings);
    expect(warnings.map(({ fix }) => fix)).toEqual([expect.stringContaining("--add-config retention.ms=604800000")]);
  });

  test("is not made with more copies than there are brokers", async () => {
    const settings = { ...ownKafkaSettings(), replicationFactor: 3 };
    const named = { kind: "other", fix: expect.stringContaining("kafka.replication_factor") as string };
    const log = new LogLines();
    const queue = await openTestQueue(settings, log);
    expect(queue.lost()).toBe(true);
    expect(log.lines).toEqual([expect.stringMatching(/^error: Kafka cannot be used.*kafka\.replication_factor/)]);
    await queue.close();
    expect((await inspectKafka(settings)).objection).toMatchObject(named);
  });

  test("that is deleted while a server uses it is made anew, and work goes on", async () => {
    const settings = ownKafkaSettings();
    const queue = await openTestQueue(settings);
    const conversationId = newId();
    const served: number[] = [];
    const consumption = await queue.consume(async (jobs) => void served.push(...jobs.map(({ toSeq }) => toSeq)));
    await queue.enqueue([{ conversationId, fromSeq: 1, toSeq: 1, chunk: 0, membership: 1 }]);
    await eventually(() => expect(served).toEqual([1]));
    const deleted = await topicId(settings);
    await deleteTopic(settings);
    // The answer to the deletion comes before the broker has done it: until then the old topic takes and serves jobs.
    await eventually(async () => expect(await topicId(settings)).not.toBe(deleted));
    onTestFinished(() => deleteTopic(settings));
    // A job of that moment may have gone to the old one.
    await eventually(async () => {
      await queue.ready();
      await queue.enqueue([{ conversationId, fromSeq: 2, toSeq: 2, chunk: 0, membership: 1 }]);
      await vi.waitFor(() => expect(served).toContain(2), { timeout: 2_000 });
    });
    await consumption.stop();
    await queue.close();
  });

  test("may hold what is no job: it is passed over, told, and does not come again", async () => {
    const settings = ownKafkaSettings();
    const log = new LogLines();
    const queue = await openTestQueue(settings, log);
    onTestFinished(() => deleteTopic(settings));
    const producer = new Producer(clientOptions(settings, "stranger"));
    const [conversationId, topic] = [newId(), fanOutTopic(settings)];
    const key = Buffer.from(`${conversationId}:0`);
    await producer.send({ messages: [{ topic, key, value: Buffer.from("hello") }], acks: -1 });
    await producer.close();
    await queue.enqueue([{ conversationId, fromSeq: 1, toSeq: 1, chunk: 0, membership: 1 }]);
    const served: QueuedJob[] = [];
    const consumption = await queue.consume(async (jobs) => void served.push(...jobs));
    await eventually(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
    expect(served.map(({ toSeq }) => toSeq)).toEqual([1]);
    expect(log.lines.filter((line) => line.startsWith("error"))).toEqual([expect.stringContaining("is no job")]);
    await consumption.stop();
    await queue.close();
  });

  test("with batches larger than a glance still says how old the oldest job is", async () => {
    const settings = ownKafkaSettings();
    const queue = await openTestQueue(settings);
    onTestFinished(() => deleteTopic(settings));
    const [conversationId, topic] = [newId(), fanOutTopic(settings)];
    const value = encodeJob({ conversationId, fromSeq: 1, toSeq: 1, chunk: 0, membership: 1 });
    const producer = new Producer(clientOptions(settings, "stranger"));
    for (const [partition, timestamp] of [
      [0, 3_000n],
      [31, 1_000n],
      [63, 2_000n],
    ] as const) {
      const messages = Array.from({ length: 300 }, () => ({ topic, partition, value, timestamp }));
      await producer.send({ messages, acks: -1 });
    }
    await producer.close();
    expect(await queue.lag()).toEqual({ jobsWaiting: 900, oldestAt: 1_000 });
    await queue.close();
  });

  test("whose oldest jobs were deleted is read from what it still has, with a warning", async () => {
    const settings = ownKafkaSettings();
    const log = new LogLines();
    const queue = await openTestQueue(settings, log);
    onTestFinished(() => deleteTopic(settings));
    const conversationId = newId();
    const enqueue = (seq: number) =>
      queue.enqueue([{ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 }]);
    const served: number[] = [];
    const handle = async (jobs: readonly QueuedJob[]) => void served.push(...jobs.map(({ toSeq }) => toSeq));
    await enqueue(1);
    const first = await queue.consume(handle);
    await eventually(() => expect(served).toEqual([1]));
    await first.stop();
    await queue.close();

    const next = await openTestQueue(settings, log);
    await Promise.all(
      [2, 3].map((seq) => next.enqueue([{ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 }])),
    );
    const topic = fanOutTopic(settings);
    await withAdmin(settings, async (admin) => {
      const partitions = Array.from({ length: 64 }, (_, partition) => ({ partitionIndex: partition, timestamp: -1n }));
      const [ends] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
      const used = ends?.partitions.filter(({ offset }) => offset > 0n) ?? [];
      const before = used.map(({ partitionIndex, offset }) => ({ partition: partitionIndex, offset: offset - 1n }));
      await admin.deleteRecords({ topics: [{ name: topic, partitions: before }] });
    });
    const consumption = await next.consume(handle);
    await eventually(() => expect(served).toEqual([1, 3]));
    expect(log.lines).toContainEqual(expect.stringContaining("does not have the next jobs"));
    await consumption.stop();
    await next.close();
  });
});
