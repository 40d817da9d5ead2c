import { ConfigResourceTypes, type Admin } from "@platformatic/kafka";
import { StoreError } from "../../base/store-error.ts";
import { fanOutTopic, type KafkaSettings } from "./settings.ts";

/** So many processes can serve large groups side by side. More is fine; fewer is a topic that somebody else made. */
export const partitionsMin = 64;
/** A job that nobody served for so long is gone; its rows are found by readers, late. */
const retentionMs = 7 * 86_400_000;
const retentionMsMin = 86_400_000;

export interface TopicFacts {
  readonly partitions: number;
  readonly retentionMs: number;
  /** -1 = no bound. */
  readonly retentionBytes: number;
  readonly cleanupPolicy: string;
}

export interface TopicJudgement {
  /** It cannot be used as it is. */
  readonly objection: StoreError | undefined;
  /** It can, but jobs may be lost when they wait long. */
  readonly warnings: readonly StoreError[];
}

/** What is wrong with a topic that exists. */
export function judgeTopic(facts: TopicFacts, settings: KafkaSettings): TopicJudgement {
  const topic = fanOutTopic(settings);
  if (facts.partitions < partitionsMin) {
    const message = `Kafka's topic ${topic} has ${facts.partitions} partitions; it needs ${partitionsMin}.`;
    const command = `kafka-topics.sh --bootstrap-server ${settings.brokers} --alter --topic ${topic} --partitions ${partitionsMin}`;
    return { objection: new StoreError("kafka", "other", message, command), warnings: [] };
  }
  if (facts.cleanupPolicy.includes("compact")) {
    const message = `Kafka's topic ${topic} is compacted: of the jobs of a group only the newest would be kept.`;
    return {
      objection: new StoreError("kafka", "other", message, alter(settings, "cleanup.policy=delete")),
      warnings: [],
    };
  }
  const warnings: StoreError[] = [];
  if (facts.retentionMs >= 0 && facts.retentionMs < retentionMsMin) {
    const hours = Math.round(facts.retentionMs / 360_000) / 10;
    const message = `Kafka's topic ${topic} forgets jobs after ${hours} h, served or not.`;
    warnings.push(new StoreError("kafka", "other", message, alter(settings, `retention.ms=${retentionMs}`)));
  }
  if (facts.retentionBytes >= 0) {
    const message = `Kafka's topic ${topic} forgets jobs beyond ${facts.retentionBytes} bytes a partition, served or not.`;
    warnings.push(new StoreError("kafka", "other", message, alter(settings, "retention.bytes=-1")));
  }
  return { objection: undefined, warnings };
}

function alter(settings: KafkaSettings, change: string): string {
  const which = `--entity-type topics --entity-name ${fanOutTopic(settings)}`;
  return `kafka-configs.sh --bootstrap-server ${settings.brokers} --alter ${which} --add-config ${change}`;
}

/** undefined = it does not exist. Errors: the driver's. */
export async function describeTopic(admin: Admin, topic: string): Promise<TopicFacts | undefined> {
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) return undefined;
  const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
  const described = await admin.describeConfigs({
    resources: [
      {
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: topic,
        configurationKeys: ["retention.ms", "retention.bytes", "cleanup.policy"],
      },
    ],
  });
  const configs = new Map(described.flatMap((each) => each.configs).map(({ name, value }) => [name, value ?? ""]));
  return {
    partitions: metadata.topics.get(topic)?.partitionsCount ?? 0,
    retentionMs: Number(configs.get("retention.ms") ?? -1),
    retentionBytes: Number(configs.get("retention.bytes") ?? -1),
    cleanupPolicy: configs.get("cleanup.policy") ?? "delete",
  };
}

/**
 * Makes the topic when it is not there, and looks at it when it is. Answers the warnings. Rejects with a StoreError when
 * it cannot be used, with the driver's error when there was no answer. Any number of processes may do it at once: who
 * comes second is told TOPIC_ALREADY_EXISTS, and asks again until the broker shows a topic that can be judged.
 */
export async function ensureTopic(admin: Admin, settings: KafkaSettings): Promise<readonly StoreError[]> {
  const topic = fanOutTopic(settings);
  const facts = await describeTopic(admin, topic);
  if (facts === undefined) {
    await createTopic(admin, settings);
    return [];
  }
  const { objection, warnings } = judgeTopic(facts, settings);
  if (objection !== undefined) throw objection;
  return warnings;
}

async function createTopic(admin: Admin, settings: KafkaSettings): Promise<void> {
  const { replicationFactor } = settings;
  await admin.createTopics({
    topics: [fanOutTopic(settings)],
    partitions: partitionsMin,
    replicas: replicationFactor,
    configs: [
      { name: "cleanup.policy", value: "delete" },
      { name: "retention.ms", value: String(retentionMs) },
      { name: "retention.bytes", value: "-1" },
      // With three copies one broker may be away without stopping writes, and none that was acknowledged is on one disk.
      { name: "min.insync.replicas", value: String(Math.max(1, replicationFactor - 1)) },
    ],
  });
}
