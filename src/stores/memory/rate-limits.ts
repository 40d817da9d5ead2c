import { assert } from "../../base/assert.ts";
import type { RateLimits } from "../../core/ports/rate-limits.ts";
import { RecentMap } from "./recent-map.ts";

/**
 * GCRA (ITU-T I.371, the virtual scheduling form): of each bucket only the time is kept at which it will be full again.
 * A full bucket is the same as none, so one that was not touched for as long as the slowest rule needs to refill is
 * forgotten without changing any answer. When all `bucketsMax` are in use the longest untouched half goes early, and
 * those keys get their burst back: a flood of new keys may soften limits, it cannot take memory or lock others out.
 *
 * @param options.bucketsMax buckets that are not full, of all rules together.
 */
export function createMemoryRateLimits(options: { readonly bucketsMax?: number } = {}): RateLimits {
  const fullAtByKey = new RecentMap<number>(options.bucketsMax ?? 1_000_000);
  let refillMsMax = 0;

  return {
    take(key, rule, cost, at) {
      assert(rule.burst >= 1 && rule.intervalMs >= 0, `rate rule ${rule.burst} + 1/${rule.intervalMs} ms`);
      assert(cost >= 1, `cost ${cost}`);
      const refillMs = rule.burst * rule.intervalMs;
      if (refillMs === 0) return 0;
      refillMsMax = Math.max(refillMsMax, refillMs);
      const stored = fullAtByKey.get(key) ?? at;
      // Further off than an empty bucket can be: the clock was set back or the rule tightened. Kept even when refused,
      // otherwise every later try would find the same far time and start its wait anew.
      const known = Math.min(stored, at + refillMs);
      if (known < stored) fullAtByKey.set(key, known, at, refillMsMax);
      const fullAt = Math.max(known, at) + Math.min(cost, rule.burst) * rule.intervalMs;
      const waitMs = fullAt - refillMs - at;
      if (waitMs > 0) return Math.ceil(waitMs);
      fullAtByKey.set(key, fullAt, at, refillMsMax);
      return 0;
    },
  };
}
