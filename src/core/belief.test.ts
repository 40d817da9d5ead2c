import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { createDeferred, type Deferred } from "../base/deferred.ts";
import { Belief, BelievedReads } from "./belief.ts";

function setUp(ttlMs = 1_000) {
  const clock = new ManualClock(100_000);
  const heard = { sinceMs: 100_000, toMs: 100_000 };
  return { clock, heard, belief: new Belief({ bus: { hearing: () => heard }, clock }, ttlMs) };
}

describe("what was read is believed", () => {
  test("for its lifetime when the bus says nothing", () => {
    const { clock, heard, belief } = setUp();
    Object.assign(heard, { sinceMs: Infinity, toMs: -Infinity });
    const readAt = belief.nowMs();
    clock.advance(1_000);
    expect(belief.holds(readAt)).toBe(true);
    clock.advance(1);
    expect(belief.holds(readAt)).toBe(false);
  });

  test("for a minute while the bus proves to be heard", () => {
    const { clock, heard, belief } = setUp();
    const readAt = belief.nowMs();
    clock.advance(60_000);
    heard.toMs = belief.nowMs() - 300;
    expect(belief.holds(readAt)).toBe(true);
    clock.advance(1);
    heard.toMs = belief.nowMs();
    expect(belief.holds(readAt)).toBe(false);
  });

  test("not while the proof is older than a second, as in a process that stood still, and again with a new one", () => {
    const { clock, heard, belief } = setUp();
    const readAt = belief.nowMs();
    clock.advance(1_001);
    expect(belief.holds(readAt)).toBe(false);
    heard.toMs = belief.nowMs() - 1_000;
    expect(belief.holds(readAt)).toBe(true);
  });

  test("not when something was lost since it was read, but what is read from then on is", () => {
    const { clock, heard, belief } = setUp();
    const before = belief.nowMs();
    clock.advance(1);
    heard.sinceMs = belief.nowMs();
    const after = belief.nowMs();
    clock.advance(2_000);
    heard.toMs = belief.nowMs();
    expect(belief.holds(before)).toBe(false);
    expect(belief.holds(after)).toBe(true);
  });

  test("for ever by the only writer", () => {
    const { clock, belief } = setUp(Infinity);
    const readAt = belief.nowMs();
    clock.advance(10 ** 9);
    expect(belief.holds(readAt)).toBe(true);
  });
});

describe("reads that are believed", () => {
  function setUpReads(entriesMax = 10) {
    const { clock, belief } = setUp();
    const asked: { readonly key: string; readonly answer: Deferred<string | undefined> }[] = [];
    const reads = new BelievedReads<string>(belief, entriesMax, (key) => {
      const answer = createDeferred<string | undefined>();
      asked.push({ key, answer });
      return answer.promise;
    });
    const answer = (index: number, value: string | undefined): void => asked[index]?.answer.resolve(value);
    return { clock, asked, reads, answer };
  }

  test("are one for all who ask at once, and for those who ask later", async () => {
    const { asked, reads, answer } = setUpReads();
    const both = Promise.all([reads.get("a"), reads.get("a")]);
    answer(0, "one");
    expect(await both).toEqual(["one", "one"]);
    expect(await reads.get("a")).toBe("one");
    expect(asked).toHaveLength(1);
  });

  test("are not kept when a change was told while they were under way", async () => {
    const { asked, reads, answer } = setUpReads();
    const early = reads.get("a");
    reads.forget("a");
    const late = reads.get("a");
    answer(1, "new");
    answer(0, "old");
    expect([await early, await late]).toEqual(["old", "new"]);
    expect(await reads.get("a")).toBe("new");
    expect(asked).toHaveLength(2);
  });

  test("are made anew when they are believed no more", async () => {
    const { clock, asked, reads, answer } = setUpReads();
    void reads.get("a");
    answer(0, "old");
    clock.advance(1_001);
    void reads.get("a");
    expect(asked).toHaveLength(2);
  });

  test("that fail or find nothing are not kept", async () => {
    const { asked, reads, answer } = setUpReads();
    const failing = reads.get("a");
    asked[0]?.answer.reject(new Error("store"));
    await expect(failing).rejects.toThrow("store");
    const missing = reads.get("a");
    answer(1, undefined);
    expect(await missing).toBeUndefined();
    void reads.get("a");
    expect(asked).toHaveLength(3);
  });

  test("are bounded: the one unused for the longest time goes first", () => {
    const { asked, reads } = setUpReads(2);
    for (const key of ["a", "b", "a", "c", "a", "b"]) void reads.get(key);
    expect(asked.map(({ key }) => key)).toEqual(["a", "b", "c", "b"]);
  });
});
