import { describe, expect, test } from "vitest";
import type { RateLimits, RateRule } from "../../src/core/ports/rate-limits.ts";
import type { MakeTimedHarness } from "./timed-harness.ts";

/** Whole seconds, so that a store whose clock really runs is not mistaken for one that refills too early. */
const rule: RateRule = { burst: 3, intervalMs: 1_000 };

export function describeRateLimits(name: string, makeHarness: MakeTimedHarness<RateLimits>): void {
  describe(`rate limits: ${name}`, () => {
    test("a burst passes at once, then one each interval", async () => {
      await using harness = await makeHarness();
      const startedAt = harness.now();
      for (let taken = 0; taken < 3; taken++) expect(await harness.store.take("k", rule, 1, startedAt)).toBe(0);
      expect(await harness.store.take("k", rule, 1, startedAt)).toBe(1_000);
      expect(await harness.store.take("k", rule, 1, startedAt + 999)).toBe(1);
      expect(await harness.store.take("k", rule, 1, startedAt + 1_000)).toBe(0);
      expect(await harness.store.take("k", rule, 1, startedAt + 1_000)).toBe(1_000);
    });

    test("what is refused takes nothing", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      await harness.store.take("k", rule, 3, at);
      for (let refused = 0; refused < 50; refused++) await harness.store.take("k", rule, 1, at);
      expect(await harness.store.take("k", rule, 1, at + 1_000)).toBe(0);
    });

    test("the wait that is answered suffices, and nothing shorter does", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      await harness.store.take("k", rule, 3, at);
      const waitMs = await harness.store.take("k", rule, 2, at);
      expect(waitMs).toBe(2_000);
      expect(await harness.store.take("k", rule, 2, at + waitMs - 1)).toBe(1);
      expect(await harness.store.take("k", rule, 2, at + waitMs)).toBe(0);
    });

    test("an unused bucket never holds more than its burst", async () => {
      await using harness = await makeHarness();
      await harness.store.take("k", rule, 1, harness.now());
      await harness.advance(3_600_000);
      const at = harness.now();
      for (let taken = 0; taken < 3; taken++) expect(await harness.store.take("k", rule, 1, at)).toBe(0);
      expect(await harness.store.take("k", rule, 1, at)).toBe(1_000);
    });

    test("keys do not touch each other", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      await harness.store.take("one", rule, 3, at);
      expect(await harness.store.take("other", rule, 3, at)).toBe(0);
      expect(await harness.store.take("one", rule, 1, at)).toBe(1_000);
    });

    test("a cost above the burst needs a full bucket and takes all of it", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      expect(await harness.store.take("k", rule, 10, at)).toBe(0);
      expect(await harness.store.take("k", rule, 10, at)).toBe(3_000);
      expect(await harness.store.take("k", rule, 10, at + 3_000)).toBe(0);
    });

    test("an interval of 0 is no limit", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      for (let taken = 0; taken < 100; taken++) {
        expect(await harness.store.take("k", { burst: 1, intervalMs: 0 }, 1, at)).toBe(0);
      }
    });

    test("a clock that was set back locks nobody out for longer than an empty bucket does", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      await harness.store.take("k", rule, 3, at);
      const earlier = at - 3_600_000;
      expect(await harness.store.take("k", rule, 1, earlier)).toBeLessThanOrEqual(1_000);
      expect(await harness.store.take("k", rule, 3, earlier + 3_000)).toBe(0);
    });

    test("of many at once exactly the burst passes", async () => {
      await using harness = await makeHarness();
      const at = harness.now();
      const waits = await Promise.all(Array.from({ length: 20 }, async () => harness.store.take("k", rule, 1, at)));
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(3);
    });
  });
}
