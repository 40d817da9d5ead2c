// A process that serves the topic of the settings in its first argument: says each job on a line, and ends its calls when
// it hears a line.
import { once } from "node:events";
import { openTestQueue } from "../../helpers/kafka.ts";
import type { KafkaSettings } from "../../../src/stores/kafka/settings.ts";

const settings = JSON.parse(process.argv[2] ?? "") as KafkaSettings;
const queue = await openTestQueue(settings);
const told = once(process.stdin, "data");
await queue.consume(async (jobs) => {
  for (const { conversationId, toSeq } of jobs) process.stdout.write(`${conversationId}/${toSeq}\n`);
  await told;
  process.stdout.write("ended\n");
});
