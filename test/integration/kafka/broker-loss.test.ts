import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { FanOutQueue, QueuedJob } from "../../../src/core/ports/fan-out-queue.ts";
import { inspectKafka } from "../../../src/stores/kafka/inspect.ts";
import type { KafkaSettings } from "../../../src/stores/kafka/settings.ts";
import { newId } from "../../contract/durable-harness.ts";
import { LogLines, openTestQueue, ownKafkaSettings } from "../../helpers/kafka.ts";
import { startKafka, type KafkaProcess } from "../../helpers/kafka-process.ts";
import { describeOn } from "../../helpers/real-stores.ts";

/** From the moment on that Kafka answers again; a busy machine is given time. */
const backWithinMs = 30_000;
const startWithinMs = 180_000;

let kafka: KafkaProcess;

function settingsHere(): KafkaSettings {
  return { ...ownKafkaSettings(), brokers: kafka.brokers };
}

function untilBack(check: () => unknown): Promise<void> {
  return vi.waitFor(async () => void (await check()), { timeout: backWithinMs, interval: 50 });
}

function untilRefused(queue: FanOutQueue): Promise<void> {
  return untilBack(() => expect(queue.ready()).rejects.toMatchObject({ code: "store_unavailable", temporary: true }));
}

function lost(log: LogLines): readonly string[] {
  return log.lines.filter((line) => /Kafka is (?:lost|back)/.test(line)).map((line) => line.replace(/:.*/, ""));
}

describeOn(["kafka"], "a Kafka that goes away", () => {
  beforeAll(async () => {
    kafka = await startKafka();
  }, startWithinMs);
  afterAll(() => kafka[Symbol.asyncDispose](), startWithinMs);

  test(
    "keeps every job that was put in, through SIGKILL, and is served on when it is back",
    { timeout: startWithinMs },
    async () => {
      const log = new LogLines();
      const queue = await openTestQueue(settingsHere(), log);
      onTestFinished(() => queue.close());
      const conversationId = newId();
      const served: QueuedJob[] = [];
      const consumption = await queue.consume(async (jobs) => void served.push(...jobs));
      const acked: number[] = [];
      const enqueue = async (seq: number): Promise<void> => {
        await queue.enqueue([{ conversationId, fromSeq: seq, toSeq: seq, chunk: seq % 8, membership: 1 }]);
        acked.push(seq);
      };
      let seq = 0;
      const killed = new AbortController();
      const refusals: unknown[] = [];
      const sending = (async () => {
        while (!killed.signal.aborted) await enqueue(++seq).catch((error: unknown) => refusals.push(error));
      })();
      await untilBack(() => expect(served.length).toBeGreaterThan(20));
      await kafka.kill();
      await untilBack(() => expect(refusals.length).toBeGreaterThan(0));
      killed.abort();
      await sending;
      expect(refusals.at(-1)).toMatchObject({ code: "store_unavailable", temporary: true });
      await untilRefused(queue);
      await kafka.restart();
      await untilBack(() => queue.ready());
      await enqueue(seq + 1);
      await untilBack(async () => {
        expect((await queue.lag()).jobsWaiting).toBe(0);
        expect(acked.filter((each) => !served.some(({ toSeq }) => toSeq === each))).toEqual([]);
      });
      // A broker that starts may turn away once more before it is up for good.
      expect([lost(log)[0], lost(log).at(-1)]).toEqual(["warn", "info"]);
      await consumption.stop();
    },
  );

  test(
    "is no reason not to start: large groups are served as soon as it is there",
    { timeout: startWithinMs },
    async () => {
      const settings = settingsHere();
      await kafka.kill();
      const log = new LogLines();
      const queue = await openTestQueue(settings, log);
      onTestFinished(() => queue.close());
      expect(queue.lost()).toBe(true);
      const refused = { code: "store_unavailable", temporary: true };
      await expect(queue.ready()).rejects.toMatchObject(refused);
      await expect(queue.lag()).rejects.toMatchObject(refused);
      const job = { conversationId: newId(), fromSeq: 1, toSeq: 1, chunk: 0, membership: 1 };
      await expect(queue.enqueue([job])).rejects.toMatchObject(refused);
      expect((await inspectKafka(settings)).objection).toMatchObject({
        kind: "unreachable",
        fix: expect.stringContaining("msgr stack up --only kafka") as string,
      });
      const served: QueuedJob[] = [];
      const consumption = await queue.consume(async (jobs) => void served.push(...jobs));
      expect(lost(log)).toEqual(["warn"]);
      await kafka.restart();
      await untilBack(() => queue.ready());
      expect(lost(log).slice(0, 2)).toEqual(["warn", "info"]);
      await queue.enqueue([job]);
      await untilBack(() => expect(served).toContainEqual(expect.objectContaining(job)));
      await consumption.stop();
    },
  );

  test(
    "holds nobody up while it is silent (SIGSTOP), and goes on where it was",
    { timeout: startWithinMs },
    async () => {
      const timeoutMs = 2_000;
      const queue = await openTestQueue({ ...settingsHere(), timeoutMs });
      onTestFinished(() => queue.close());
      const conversationId = newId();
      const job = (seq: number) => ({ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 });
      const served: number[] = [];
      const consumption = await queue.consume(async (jobs) => void served.push(...jobs.map(({ toSeq }) => toSeq)));
      await untilBack(() => queue.enqueue([job(1)]));
      await untilBack(() => expect(served).toContain(1));
      kafka.signal("SIGSTOP");
      try {
        const startedAt = performance.now();
        await expect(queue.enqueue([job(2)])).rejects.toMatchObject({ code: "store_unavailable" });
        expect(performance.now() - startedAt).toBeLessThan(5 * timeoutMs);
        await untilRefused(queue);
      } finally {
        kafka.signal("SIGCONT");
      }
      await untilBack(() => queue.ready());
      await queue.enqueue([job(3)]);
      await untilBack(() => expect(served).toContain(3));
      await consumption.stop();
    },
  );
});
