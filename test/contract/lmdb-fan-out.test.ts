import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import { createLmdbFanOutQueue } from "../../src/stores/lmdb/fan-out-queue.ts";
import { newId } from "./durable-harness.ts";
import { describeFanOutQueue } from "./fan-out-queue.contract.ts";
import { lmdbHarness } from "./lmdb-environment.ts";

const harness = lmdbHarness((environment) => createLmdbFanOutQueue(environment, { clock: systemClock, retryMs: 5 }));

describeFanOutQueue("lmdb", harness);

describe("the queue in lmdb", () => {
  test("is not ready while it is behind its bound, and takes jobs again when it is not", async () => {
    await using made = await harness();
    const { store: queue } = made;
    const conversationId = newId();
    const half = Array.from({ length: limits.fanOutJobsWaitingMax / 2 }, (_, index) => ({
      conversationId,
      fromSeq: index + 1,
      toSeq: index + 1,
      chunk: 0,
      membership: 1,
    }));
    await queue.enqueue(half);
    await queue.ready();
    await queue.enqueue(half);
    await expect(queue.ready()).rejects.toMatchObject({ code: "overloaded", temporary: true });
    const served = Promise.withResolvers<void>();
    const consumption = await queue.consume(async (jobs) => {
      if (jobs.length > 0) served.resolve();
    });
    await served.promise;
    while ((await queue.lag()).jobsWaiting === limits.fanOutJobsWaitingMax) await new Promise(setImmediate);
    await queue.ready();
    await consumption.stop();
  });

  test("is gone when its folder is closed", async () => {
    await using made = await harness();
    await made[Symbol.asyncDispose]();
    await expect(made.store.ready()).rejects.toMatchObject({ code: "store_unavailable", undecided: false });
    await expect(made.store.enqueue([])).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
