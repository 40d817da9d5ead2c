import { limits } from "../../protocol/limits.ts";
import { kafkaSettings } from "../../server/store-options.ts";
import { inspectKafka } from "../../stores/kafka/inspect.ts";
import { ok, storeFinding, type Check } from "./finding.ts";

export const kafkaCheck: Check = {
  name: "kafka",
  async run({ config }) {
    if (config.kafka.brokers === "") {
      const { membersDirectFanOutMax } = limits;
      const message = `no Kafka is named: groups stop at ${membersDirectFanOutMax} members`;
      return [{ check: "kafka", state: "warn", message, fix: "Set kafka.brokers to have larger ones." }];
    }
    const { objection, warnings } = await inspectKafka(kafkaSettings(config));
    if (objection !== undefined) return [storeFinding(objection)];
    if (warnings.length > 0) return warnings.map((warning) => ({ ...storeFinding(warning), state: "warn" }));
    return [ok("kafka", `${config.kafka.brokers} answers and keeps the jobs of large groups`)];
  },
};
