import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { KeyedLanes, type KeyedLanesOptions } from "./keyed-lanes.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(options: Partial<KeyedLanesOptions<string, string>> = {}) {
  const clock = new ManualClock();
  const calls: { readonly items: readonly string[]; end(): void; fail(): void }[] = [];
  const done: string[] = [];
  const lanes = new KeyedLanes<string, string>({
    clock,
    itemsPerCallMax: 2,
    callsMax: 2,
    retryMs: 100,
    handle: (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, end: resolve, fail: () => reject(new Error("not now")) });
      }),
    onDone: (key, items) => void done.push(`${key}:${items.join("+")}`),
    ...options,
  });
  const started = (): readonly string[] => calls.map(({ items }) => items.join("+"));
  return { clock, calls, done, lanes, started };
}

describe("keyed lanes", () => {
  test("hand over what waits for a key together, in order, one call at a time, and tell what is done", async () => {
    const { calls, done, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    for (const item of ["a2", "a3", "a4"]) lanes.push("a", [item]);
    expect(started()).toEqual(["a1"]);
    expect(lanes.waiting("a")).toBe(4);
    calls[0]?.end();
    await turn();
    expect(done).toEqual(["a:a1"]);
    expect(started()).toEqual(["a1", "a2+a3"]);
    expect(lanes.waiting("a")).toBe(3);
    calls[1]?.end();
    await turn();
    expect(started()).toEqual(["a1", "a2+a3", "a4"]);
    calls[2]?.end();
    await turn();
    expect(lanes.waiting("a")).toBe(0);
    expect(done).toEqual(["a:a1", "a:a2+a3", "a:a4"]);
  });

  test("serve keys side by side up to the bound, and each in its turn", async () => {
    const { calls, lanes, started } = setUp();
    for (const item of ["a1", "b1", "c1", "a2"]) lanes.push(item.charAt(0), [item]);
    expect(started()).toEqual(["a1", "b1"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1", "b1", "c1"]);
    calls[1]?.end();
    await turn();
    expect(started()).toEqual(["a1", "b1", "c1", "a2"]);
  });

  test("bring what failed again after a rest, before what came behind it, while others go on", async () => {
    const { clock, calls, done, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    lanes.push("a", ["a2"]);
    calls[0]?.fail();
    await turn();
    lanes.push("b", ["b1"]);
    clock.advance(99);
    expect(started()).toEqual(["a1", "b1"]);
    clock.advance(1);
    expect(started()).toEqual(["a1", "b1", "a1+a2"]);
    expect(done).toEqual([]);
  });

  test("begin nothing while paused, and go on where they were", async () => {
    const { calls, lanes, started } = setUp({ itemsPerCallMax: 1 });
    lanes.push("a", ["a1", "a2"]);
    lanes.pause();
    lanes.push("b", ["b1"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1"]);
    lanes.resume();
    expect(started()).toEqual(["a1", "b1", "a2"]);
  });

  test("stop when the calls under way have ended, with what they did told, and begin nothing after", async () => {
    const { clock, calls, done, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    lanes.push("b", ["b1"]);
    lanes.push("a", ["a2"]);
    let isStopped = false;
    const stopping = lanes.stop().then(() => (isStopped = true));
    calls[0]?.end();
    await turn();
    expect(isStopped).toBe(false);
    calls[1]?.fail();
    await stopping;
    clock.advance(1_000);
    lanes.resume();
    await lanes.stop();
    expect(started()).toEqual(["a1", "b1"]);
    expect(done).toEqual(["a:a1"]);
  });
});

describe("a key that goes", () => {
  test("by release gets no new call, and its last one is told before it is gone", async () => {
    const { calls, done, lanes, started } = setUp({ itemsPerCallMax: 1 });
    lanes.push("a", ["a1", "a2"]);
    let isReleased = false;
    const releasing = lanes.release("a").then(() => (isReleased = true));
    await turn();
    expect(isReleased).toBe(false);
    calls[0]?.end();
    await releasing;
    expect(done).toEqual(["a:a1"]);
    expect(started()).toEqual(["a1"]);
    expect(lanes.waiting("a")).toBe(0);
  });

  test("while it waits for its turn is not served when the turn comes", async () => {
    const { calls, lanes, started } = setUp({ callsMax: 1 });
    lanes.push("a", ["a1"]);
    lanes.push("b", ["b1"]);
    await lanes.release("b");
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1"]);
  });

  test("while it rests is gone at once, and does not come back when the rest is over", async () => {
    const { clock, calls, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    calls[0]?.fail();
    await turn();
    await lanes.release("a");
    clock.advance(1_000);
    expect(started()).toEqual(["a1"]);
  });

  test("and comes back does not rest for a call of its earlier time", async () => {
    const { clock, calls, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    calls[0]?.fail();
    await turn();
    lanes.drop("a");
    lanes.push("a", ["a1", "a2"]);
    expect(started()).toEqual(["a1", "a1+a2"]);
    clock.advance(1_000);
    expect(started()).toEqual(["a1", "a1+a2"]);
  });

  test.each(["called", "being released"])("by being dropped while %s is told nothing of the call", async (how) => {
    const { calls, done, lanes } = setUp();
    lanes.push("a", ["a1"]);
    if (how === "being released") void lanes.release("a");
    lanes.drop("a");
    calls[0]?.end();
    await turn();
    expect(done).toEqual([]);
  });

  test("and comes back waits for the call of its earlier time", async () => {
    const { calls, done, lanes, started } = setUp();
    lanes.push("a", ["a1"]);
    lanes.drop("a");
    lanes.push("a", ["a1", "a2"]);
    expect(started()).toEqual(["a1"]);
    expect(lanes.waiting("a")).toBe(2);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1", "a1+a2"]);
    calls[1]?.end();
    await turn();
    expect(done).toEqual(["a:a1+a2"]);
  });
});
