import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { newId } from "../../contract/durable-harness.ts";
import { eventually } from "../../helpers/eventually.ts";
import { deleteTopic, openTestQueue, ownKafkaSettings } from "../../helpers/kafka.ts";
import { describeOn } from "../../helpers/real-stores.ts";

/** Takes connections and says nothing, as a broker that stands still. */
async function startSilent(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describeOn(["kafka"], "several brokers to ask first", () => {
  test("of which one stands still and one is nobody: the queue works through the third, and goes on working", async () => {
    const own = ownKafkaSettings();
    const settings = { ...own, brokers: `127.0.0.1:1,${await startSilent()},${own.brokers}`, timeoutMs: 3_000 };
    const queue = await openTestQueue(settings);
    onTestFinished(() => queue.close());
    await eventually(() => queue.ready());
    onTestFinished(() => deleteTopic(own));
    const served: number[] = [];
    const consumption = await queue.consume(async (jobs) => void served.push(...jobs.map(({ toSeq }) => toSeq)));
    const conversationId = newId();
    for (const seq of [1, 2, 3]) {
      await eventually(() => queue.enqueue([{ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 }]));
    }
    await eventually(() => expect(new Set(served)).toEqual(new Set([1, 2, 3])));
    expect(queue.lost()).toBe(false);
    await consumption.stop();
  });
});
