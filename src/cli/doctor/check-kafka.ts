import { kafkaSettings } from "../../server/store-options.ts";
import { inspectKafka } from "../../stores/kafka/inspect.ts";
import { ok, storeFinding, type Check } from "./finding.ts";

export const kafkaCheck: Check = {
  name: "kafka",
  async run({ config }) {
    const { objection, warnings } = await inspectKafka(kafkaSettings(config));
    if (objection !== undefined) return [storeFinding(objection)];
    if (warnings.length > 0) return warnings.map((warning) => ({ ...storeFinding(warning), state: "warn" }));
    return [ok("kafka", `${config.kafka.brokers} answers and keeps the jobs of large groups`)];
  },
};
