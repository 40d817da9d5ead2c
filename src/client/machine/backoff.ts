import type { Random } from "../../base/random.ts";

/**
 * Full jitter over an exponential ceiling (AWS Architecture Blog, "Exponential Backoff And Jitter"): the clients that one
 * outage cut off do not come back together. `attempt` from 0; the result is in [0, min(maxMs, minMs · 2^attempt)).
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: Random): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return random.float() * ceiling;
}
