import { Admin } from "@platformatic/kafka";
import { StoreError } from "../../base/store-error.ts";
import { BrokerChoice } from "./broker-choice.ts";
import { explainKafka } from "./explain-silence.ts";
import { brokersOf, clientOptions, fanOutTopic, type KafkaSettings } from "./settings.ts";
import { describeTopic, judgeTopic, type TopicJudgement } from "./topic.ts";

/**
 * What is wrong with a Kafka, for `msgr doctor`: unreachable, forbidden, spoken to in the wrong way, too few brokers for the copies that are wanted,
 * or a topic that will not do. A topic that is not there yet is made by the first server. Never rejects.
 */
export async function inspectKafka(settings: KafkaSettings): Promise<TopicJudgement> {
  const choice = new BrokerChoice(brokersOf(settings));
  const admin = choice.lead(new Admin(clientOptions(settings, "doctor")));
  try {
    const facts = await describeTopic(admin, fanOutTopic(settings));
    if (facts !== undefined) return judgeTopic(facts, settings);
    const { brokers } = await admin.metadata({ topics: [] });
    return { objection: brokersObjection(brokers.size, settings), warnings: [] };
  } catch (error) {
    return { objection: await explainKafka(error, settings), warnings: [] };
  } finally {
    await admin.close().catch(() => undefined);
  }
}

function brokersObjection(brokers: number, { replicationFactor }: KafkaSettings): StoreError | undefined {
  if (brokers >= replicationFactor) return undefined;
  const message = `Kafka has ${brokers} of the ${replicationFactor} brokers that kafka.replication_factor asks for.`;
  const fix = "Set kafka.replication_factor to at most the number of brokers: 1 on one machine, 3 in production.";
  return new StoreError("kafka", "other", message, fix);
}
