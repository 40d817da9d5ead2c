import { describe, expect, test } from "vitest";
import type { FanOutJob, FanOutQueue, QueuedJob } from "../../src/core/ports/fan-out-queue.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

function job(conversationId: Uuid, seq: number, chunk = 0): FanOutJob {
  return { conversationId, fromSeq: seq, toSeq: seq, chunk, membership: 1 };
}

/** What a consumer was called with, and a way to wait for it and to let it end. */
class Served {
  readonly jobs: QueuedJob[] = [];
  readonly calls: (readonly QueuedJob[])[] = [];
  readonly #end: (jobs: readonly QueuedJob[]) => Promise<void>;
  #changed: (() => void)[] = [];

  constructor(end: (jobs: readonly QueuedJob[]) => Promise<void> = async () => undefined) {
    this.#end = end;
  }

  readonly handle = async (jobs: readonly QueuedJob[]): Promise<void> => {
    this.calls.push(jobs);
    this.jobs.push(...jobs);
    for (const resolve of this.#changed.splice(0)) resolve();
    await this.#end(jobs);
  };

  async until(enough: () => boolean): Promise<void> {
    while (!enough()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  seqs(conversationId: Uuid): readonly number[] {
    return this.jobs.filter((each) => each.conversationId === conversationId).map((each) => each.toSeq);
  }
}

async function drained(queue: FanOutQueue): Promise<void> {
  while ((await queue.lag()).jobsWaiting > 0) await new Promise(setImmediate);
}

/** The queue between a send to a large group and its members, whatever keeps it. */
export function describeFanOutQueue(name: string, make: MakeDurableHarness<FanOutQueue>): void {
  describe(`fan-out queue: ${name}`, () => {
    test("hands over what was put in, whole, with the time it was", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      const [first, other] = [newId(), newId()];
      const before = Date.now();
      await queue.enqueue([job(first, 1), { conversationId: other, fromSeq: 3, toSeq: 9, chunk: 7, membership: 4 }]);
      const served = new Served();
      const consumption = await queue.consume(served.handle);
      await served.until(() => served.jobs.length === 2);
      const found = served.jobs.find((each) => each.conversationId === other);
      expect(found).toMatchObject({ conversationId: other, fromSeq: 3, toSeq: 9, chunk: 7, membership: 4 });
      expect(found?.enqueuedAt).toBeGreaterThanOrEqual(before - 60_000);
      expect(found?.enqueuedAt).toBeLessThanOrEqual(Date.now() + 60_000);
      await consumption.stop();
    });

    test("keeps the order of one conversation and chunk, never in two calls at once", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      const conversationId = newId();
      let under = 0;
      let most = 0;
      const served = new Served(async () => {
        most = Math.max(most, ++under);
        await new Promise(setImmediate);
        under--;
      });
      const consumption = await queue.consume(served.handle);
      const wanted = Array.from({ length: 200 }, (_, index) => index + 1);
      await Promise.all(wanted.map((seq) => queue.enqueue([job(conversationId, seq)])));
      await served.until(() => served.jobs.length >= wanted.length);
      expect(served.seqs(conversationId)).toEqual(wanted);
      expect(most).toBe(1);
      expect(Math.max(...served.calls.map((call) => call.length))).toBeLessThanOrEqual(limits.fanOutJobsPerCallMax);
      await consumption.stop();
    });

    test("one conversation that takes its time does not hold up every other one", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      const slow = newId();
      const gate = Promise.withResolvers<void>();
      const served = new Served(async (jobs) => {
        if (jobs.some((each) => each.conversationId === slow)) await gate.promise;
      });
      const consumption = await queue.consume(served.handle);
      await queue.enqueue([job(slow, 1)]);
      await served.until(() => served.jobs.length === 1);
      const others = Array.from({ length: 32 }, () => newId());
      await queue.enqueue(others.map((conversationId) => job(conversationId, 1)));
      // Some may share the slow one's place in the store; not most.
      await served.until(() => served.jobs.length > others.length / 2);
      expect(served.seqs(slow)).toEqual([1]);
      gate.resolve();
      await served.until(() => served.jobs.length === 1 + others.length);
      await consumption.stop();
    });

    test("a call that fails comes again, before what stands behind it", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      const conversationId = newId();
      let failures = 2;
      const served = new Served(async () => {
        if (failures-- > 0) throw new Error("a store did not answer");
      });
      await queue.enqueue([job(conversationId, 1)]);
      const consumption = await queue.consume(served.handle);
      await served.until(() => served.calls.length === 1);
      await queue.enqueue([job(conversationId, 2)]);
      await served.until(() => served.seqs(conversationId).at(-1) === 2);
      await drained(queue);
      const first = served.calls.map((call) => call[0]?.toSeq);
      expect(first.slice(0, 3)).toEqual([1, 1, 1]);
      await consumption.stop();
    });

    test("what was put in is there for the next process, done or not", async () => {
      await using harness = await make();
      const [done, open] = [newId(), newId()];
      const served = new Served((jobs) =>
        jobs.some((each) => each.conversationId === open) ? new Promise(() => undefined) : Promise.resolve(),
      );
      await harness.store.enqueue([job(done, 1)]);
      await harness.store.consume(served.handle);
      await served.until(() => served.jobs.length === 1);
      await drained(harness.store);
      await harness.store.enqueue([job(open, 1), job(open, 2)]);
      await served.until(() => served.seqs(open).length > 0);
      const queue = await harness.reopen();
      const again = new Served();
      const consumption = await queue.consume(again.handle);
      await again.until(() => again.seqs(open).length === 2);
      expect(again.seqs(open)).toEqual([1, 2]);
      expect(again.seqs(done)).toEqual([]);
      await drained(queue);
      await consumption.stop();
    });

    test("what is put in after a restart stands behind what was left", async () => {
      await using harness = await make();
      const conversationId = newId();
      await harness.store.enqueue([job(conversationId, 1), job(conversationId, 2)]);
      const queue = await harness.reopen();
      await queue.enqueue([job(conversationId, 3)]);
      const served = new Served();
      const consumption = await queue.consume(served.handle);
      await served.until(() => served.jobs.length === 3);
      expect(served.seqs(conversationId)).toEqual([1, 2, 3]);
      await consumption.stop();
    });

    test("a paused consumer gets nothing new until it goes on", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      const conversationId = newId();
      const served = new Served();
      const consumption = await queue.consume(served.handle);
      await queue.enqueue([job(conversationId, 1)]);
      await served.until(() => served.jobs.length === 1);
      await drained(queue);
      consumption.pause();
      consumption.pause();
      await queue.enqueue([job(conversationId, 2)]);
      expect((await queue.lag()).jobsWaiting).toBe(1);
      expect(served.seqs(conversationId)).toEqual([1]);
      consumption.resume();
      consumption.resume();
      await served.until(() => served.jobs.length === 2);
      await consumption.stop();
    });

    test("stopping waits for the calls under way and commits what they did, and nothing comes after", async () => {
      await using harness = await make();
      const conversationId = newId();
      const gate = Promise.withResolvers<void>();
      const served = new Served(() => gate.promise);
      const consumption = await harness.store.consume(served.handle);
      await harness.store.enqueue([job(conversationId, 1)]);
      await served.until(() => served.jobs.length === 1);
      await harness.store.enqueue([job(conversationId, 2)]);
      let stopped = false;
      const stopping = consumption.stop().then(() => (stopped = true));
      await new Promise(setImmediate);
      expect(stopped).toBe(false);
      gate.resolve();
      await stopping;
      expect(served.seqs(conversationId)).toEqual([1]);
      const again = new Served();
      const queue = await harness.reopen();
      const next = await queue.consume(again.handle);
      await again.until(() => again.jobs.length > 0);
      expect(again.seqs(conversationId)).toEqual([2]);
      await next.stop();
    });

    test("says how many jobs wait and since when", async () => {
      await using harness = await make();
      const { store: queue } = harness;
      expect(await queue.lag()).toEqual({ jobsWaiting: 0, oldestAt: 0 });
      await queue.ready();
      const conversationId = newId();
      await queue.enqueue([job(conversationId, 1, 0), job(conversationId, 1, 1)]);
      const { jobsWaiting, oldestAt } = await queue.lag();
      expect(jobsWaiting).toBe(2);
      expect(Math.abs(Date.now() - oldestAt)).toBeLessThan(60_000);
      const served = new Served();
      const consumption = await queue.consume(served.handle);
      await drained(queue);
      expect(await queue.lag()).toEqual({ jobsWaiting: 0, oldestAt: 0 });
      await consumption.stop();
    });
  });
}
