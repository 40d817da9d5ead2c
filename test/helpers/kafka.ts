import { Admin } from "@platformatic/kafka";
import { systemClock } from "../../src/base/clock.ts";
import type { Logger } from "../../src/base/logger.ts";
import { kafkaSettings } from "../../src/server/store-options.ts";
import { openKafkaFanOutQueue, type KafkaFanOutQueue } from "../../src/stores/kafka/fan-out-queue.ts";
import { clientOptions, fanOutTopic, type KafkaSettings } from "../../src/stores/kafka/settings.ts";
import { realStoreConfig } from "./real-stores.ts";

/** The Kafka of the run, with a topic and a group of the test's own. */
export function ownKafkaSettings(): KafkaSettings {
  return kafkaSettings(realStoreConfig());
}

/** What was logged, a line a call: `level: sentence {fields}`. */
export class LogLines {
  readonly lines: string[] = [];
  readonly logger: Logger;

  constructor() {
    const at =
      (level: string) =>
      (fields: unknown, event: string): void =>
        void this.lines.push(`${level}: ${event} ${JSON.stringify(fields)}`);
    this.logger = {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      setLevel: () => undefined,
      flush: () => undefined,
    };
  }
}

export function openTestQueue(settings: KafkaSettings, log = new LogLines()): Promise<KafkaFanOutQueue> {
  return openKafkaFanOutQueue(settings, { clock: systemClock, log: log.logger, retryMs: 20 });
}

export async function withAdmin<T>(settings: KafkaSettings, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(clientOptions(settings, "test"));
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}

export async function deleteTopic(settings: KafkaSettings): Promise<void> {
  await withAdmin(settings, (admin) => admin.deleteTopics({ topics: [fanOutTopic(settings)] }));
}
