import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { PartitionLanes, type PartitionLanesOptions } from "./partition-lanes.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(options: Partial<PartitionLanesOptions<string>> = {}) {
  const clock = new ManualClock();
  const calls: { readonly items: readonly string[]; end(): void; fail(): void }[] = [];
  const done: string[] = [];
  const lanes = new PartitionLanes<string>({
    clock,
    itemsPerCallMax: 2,
    callsMax: 2,
    retryMs: 100,
    handle: (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, end: resolve, fail: () => reject(new Error("not now")) });
      }),
    onDone: (partition, items) => void done.push(`${partition}:${items.join("+")}`),
    ...options,
  });
  const started = (): readonly string[] => calls.map(({ items }) => items.join("+"));
  return { clock, calls, done, lanes, started };
}

describe("partition lanes", () => {
  test("hand over a partition in its order, one call at a time, and tell what is done", async () => {
    const { calls, done, lanes, started } = setUp();
    lanes.hold(1);
    lanes.push(1, ["a", "b", "c"]);
    expect(started()).toEqual(["a+b"]);
    expect(lanes.waiting(1)).toBe(3);
    calls[0]?.end();
    await turn();
    expect(done).toEqual(["1:a+b"]);
    expect(started()).toEqual(["a+b", "c"]);
    expect(lanes.waiting(1)).toBe(1);
  });

  test("serve partitions side by side up to the bound, and each in its turn", async () => {
    const { calls, lanes, started } = setUp();
    for (const partition of [1, 2, 3]) lanes.hold(partition);
    for (const partition of [1, 2, 3]) lanes.push(partition, [`p${partition}`]);
    expect(started()).toEqual(["p1", "p2"]);
    lanes.push(1, ["p1 again"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["p1", "p2", "p3"]);
    calls[1]?.end();
    await turn();
    expect(started()).toEqual(["p1", "p2", "p3", "p1 again"]);
  });

  test("bring what failed again after a rest, before what came behind it, while other partitions go on", async () => {
    const { clock, calls, done, lanes, started } = setUp();
    for (const partition of [1, 2]) lanes.hold(partition);
    lanes.push(1, ["a"]);
    calls[0]?.fail();
    await turn();
    lanes.push(1, ["b"]);
    lanes.push(2, ["other"]);
    clock.advance(99);
    expect(started()).toEqual(["a", "other"]);
    clock.advance(1);
    expect(started()).toEqual(["a", "other", "a+b"]);
    expect(done).toEqual([]);
  });

  test("a partition that is released gets no new call, and its last one is told before it goes", async () => {
    const { calls, done, lanes, started } = setUp({ itemsPerCallMax: 1 });
    lanes.hold(1);
    lanes.push(1, ["a", "b"]);
    let isReleased = false;
    const releasing = lanes.release(1).then(() => (isReleased = true));
    await turn();
    expect(isReleased).toBe(false);
    calls[0]?.end();
    await releasing;
    expect(done).toEqual(["1:a"]);
    expect(started()).toEqual(["a"]);
    lanes.push(1, ["c"]);
    expect(started()).toEqual(["a"]);
  });

  test("a partition that rests is released at once, and does not come back when the rest is over", async () => {
    const { clock, calls, lanes, started } = setUp();
    lanes.hold(1);
    lanes.push(1, ["a"]);
    calls[0]?.fail();
    await turn();
    await lanes.release(1);
    clock.advance(1_000);
    expect(started()).toEqual(["a"]);
  });

  test.each(["held", "being released"])("nothing is told of a call whose partition was lost while %s", async (how) => {
    const { calls, done, lanes } = setUp();
    lanes.hold(1);
    lanes.push(1, ["a"]);
    if (how === "being released") void lanes.release(1);
    lanes.drop(1);
    calls[0]?.end();
    await turn();
    expect(done).toEqual([]);
  });

  test("a partition that comes back waits for the call of its earlier time", async () => {
    const { calls, done, lanes, started } = setUp();
    lanes.hold(1);
    lanes.push(1, ["a"]);
    lanes.drop(1);
    lanes.hold(1);
    lanes.push(1, ["a", "b"]);
    expect(started()).toEqual(["a"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a", "a+b"]);
    calls[1]?.end();
    await turn();
    expect(done).toEqual(["1:a+b"]);
  });

  test("pause between calls, and go on where they were", async () => {
    const { calls, lanes, started } = setUp({ itemsPerCallMax: 1 });
    lanes.hold(1);
    lanes.push(1, ["a", "b"]);
    lanes.pause();
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a"]);
    lanes.resume();
    expect(started()).toEqual(["a", "b"]);
  });

  test("stop when the calls under way have ended, with what they did told and nothing begun", async () => {
    const { calls, done, lanes, started } = setUp({ itemsPerCallMax: 1 });
    lanes.hold(1);
    lanes.push(1, ["a", "b"]);
    let isStopped = false;
    const stopping = lanes.stop().then(() => (isStopped = true));
    await turn();
    expect(isStopped).toBe(false);
    calls[0]?.end();
    await stopping;
    expect(done).toEqual(["1:a"]);
    expect(started()).toEqual(["a"]);
  });
});
