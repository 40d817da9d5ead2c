import type { Random } from "../../base/random.ts";

const retryDelayMinMs = 50;
const retryDelayMaxMs = 2_000;

/**
 * How long to wait before the n-th attempt (≥ 1) in a row to connect: doubling up to two seconds, half of it at random, so
 * that the processes of a cluster do not come back in one moment. Attempts never end: a server outlives its Redis.
 */
export function retryDelayMs(attempt: number, random: Random): number {
  const ceilingMs = Math.min(retryDelayMaxMs, retryDelayMinMs * 2 ** Math.min(attempt - 1, 16));
  return Math.ceil(ceilingMs * (0.5 + random.float() / 2));
}
