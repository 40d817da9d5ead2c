import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { KeyedLanes, type KeyedLanesOptions } from "./keyed-lanes.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(options: Partial<KeyedLanesOptions<string>> = {}) {
  const clock = new ManualClock();
  const calls: { readonly items: readonly string[]; end(): void; fail(): void }[] = [];
  const lanes = new KeyedLanes<string>({
    clock,
    itemsPerCallMax: 2,
    callsMax: 2,
    retryMs: 100,
    handle: (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, end: resolve, fail: () => reject(new Error("not now")) });
      }),
    ...options,
  });
  const started = (): readonly string[] => calls.map(({ items }) => items.join("+"));
  return { clock, calls, lanes, started };
}

describe("keyed lanes", () => {
  test("hand over what waits for a key together, in order, and one call at a time", async () => {
    const { calls, lanes, started } = setUp();
    for (const item of ["a1", "a2", "a3", "a4"]) lanes.push("a", item);
    expect(started()).toEqual(["a1"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1", "a2+a3"]);
    calls[1]?.end();
    await turn();
    expect(started()).toEqual(["a1", "a2+a3", "a4"]);
  });

  test("serve keys side by side up to the bound, and each in its turn", async () => {
    const { calls, lanes, started } = setUp();
    for (const item of ["a1", "b1", "c1", "a2"]) lanes.push(item.charAt(0), item);
    expect(started()).toEqual(["a1", "b1"]);
    calls[0]?.end();
    await turn();
    expect(started()).toEqual(["a1", "b1", "c1"]);
    calls[1]?.end();
    await turn();
    expect(started()).toEqual(["a1", "b1", "c1", "a2"]);
  });

  test("bring what failed again after a rest, before what came behind it, while others go on", async () => {
    const { clock, calls, lanes, started } = setUp();
    lanes.push("a", "a1");
    lanes.push("a", "a2");
    calls[0]?.fail();
    await turn();
    lanes.push("b", "b1");
    clock.advance(99);
    expect(started()).toEqual(["a1", "b1"]);
    clock.advance(1);
    expect(started()).toEqual(["a1", "b1", "a1+a2"]);
  });

  test("begin nothing while paused", () => {
    const { lanes, started } = setUp();
    lanes.pause();
    lanes.push("a", "a1");
    expect(started()).toEqual([]);
    lanes.resume();
    expect(started()).toEqual(["a1"]);
  });

  test("stop when the calls under way have ended, and begin nothing after", async () => {
    const { clock, calls, lanes, started } = setUp();
    lanes.push("a", "a1");
    lanes.push("b", "b1");
    lanes.push("a", "a2");
    let stopped = false;
    const stopping = lanes.stop().then(() => (stopped = true));
    calls[0]?.end();
    await turn();
    expect(stopped).toBe(false);
    calls[1]?.fail();
    await stopping;
    clock.advance(1_000);
    lanes.resume();
    await lanes.stop();
    expect(started()).toEqual(["a1", "b1"]);
  });
});
