import { assert } from "../../base/assert.ts";
import type { RateLimits } from "../../core/ports/rate-limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { RedisClient } from "./connect.ts";
import { scripts } from "./scripts.ts";

/**
 * Buckets that all processes share. A limit must not stop what it guards: while Redis does not answer, or has no room,
 * each process limits by itself, with buckets that begin full.
 *
 * @param options.fallback the limits of this process alone.
 * @param options.offsetMs what the clock of the callers lacks to the time that all processes agree on: one that is ahead
 * would leave buckets which look empty to all others.
 */
export function createRedisRateLimits(
  redis: RedisClient,
  options: { readonly fallback: RateLimits; readonly offsetMs?: () => number },
): RateLimits {
  const { offsetMs = () => 0 } = options;
  return {
    async take(key, rule, cost, at) {
      assert(rule.burst >= 1 && rule.intervalMs >= 0, `rate rule ${rule.burst} + 1/${rule.intervalMs} ms`);
      assert(cost >= 1, `cost ${cost}`);
      const refillMs = rule.burst * rule.intervalMs;
      if (refillMs === 0) return 0;
      if (redis.lost()) return options.fallback.take(key, rule, cost, at);
      const takeMs = Math.min(cost, rule.burst) * rule.intervalMs;
      try {
        return (await redis.run(
          scripts.rateTake,
          [redis.keys.rate(key)],
          [at + offsetMs(), refillMs, takeMs],
        )) as number;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        return options.fallback.take(key, rule, cost, at);
      }
    },
  };
}
