import { deleteTopic, openTestQueue, ownKafkaSettings } from "../helpers/kafka.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { describeFanOutQueue } from "./fan-out-queue.contract.ts";

describeOn(["kafka"], "the queue of large groups in Kafka", () => {
  describeFanOutQueue("kafka", async () => {
    const settings = ownKafkaSettings();
    let queue = await openTestQueue(settings);
    return {
      store: queue,
      async reopen() {
        await queue.close();
        queue = await openTestQueue(settings);
        return queue;
      },
      async [Symbol.asyncDispose]() {
        await queue.close();
        await deleteTopic(settings);
      },
    };
  });
});
