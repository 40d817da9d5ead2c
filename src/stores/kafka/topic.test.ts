import { expect, test } from "vitest";
import type { KafkaSettings } from "./settings.ts";
import { judgeTopic, type TopicFacts } from "./topic.ts";

const settings: KafkaSettings = {
  brokers: "kafka:9092",
  tls: false,
  username: "",
  password: undefined,
  saslMechanism: "scram-sha-512",
  topicPrefix: "",
  replicationFactor: 3,
  timeoutMs: 1_000,
};
const good: TopicFacts = { partitions: 64, retentionMs: 604_800_000, retentionBytes: -1, cleanupPolicy: "delete" };
const judge = (change: Partial<TopicFacts>) => judgeTopic({ ...good, ...change }, settings);

test("a topic as we make it, or with more partitions, is fine", () => {
  for (const change of [{}, { partitions: 128 }, { retentionMs: -1 }]) {
    expect(judge(change)).toEqual({ objection: undefined, warnings: [] });
  }
});

test("too few partitions are an error that names the command", () => {
  expect(judge({ partitions: 12 }).objection).toMatchObject({
    store: "kafka",
    message: "Kafka's topic fanout.large has 12 partitions; it needs 64.",
    fix: "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic fanout.large --partitions 64",
  });
});

test("a compacted topic is an error: it would keep one job of a group", () => {
  expect(judge({ cleanupPolicy: "compact,delete" }).objection?.fix).toMatch(/--add-config cleanup\.policy=delete$/);
});

test.each([
  [{ retentionMs: 3_600_000 }, "forgets jobs after 1 h", "retention.ms=604800000"],
  [{ retentionBytes: 1_024 }, "beyond 1024 bytes", "retention.bytes=-1"],
])("a topic that forgets early is warned of: %j", (change, message, fix) => {
  const { objection, warnings } = judge(change);
  expect(objection).toBeUndefined();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.message).toContain(message);
  expect(warnings[0]?.fix).toContain(fix);
});
