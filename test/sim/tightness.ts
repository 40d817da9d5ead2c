import { createSeededRandom } from "../../src/base/random.ts";
import type { RateRule } from "../../src/core/ports/rate-limits.ts";

/** Rates that a run holds its users to, so low that a burst of messages meets them, and a log that is slow meanwhile. */
export interface Tightness {
  /** Messages of one user. */
  readonly send: RateRule;
  /** Frames of one connection. */
  readonly frame: RateRule | undefined;
  /** Reads of one user. */
  readonly read: RateRule | undefined;
  /** Processes share the buckets, in Redis; else each has its own. */
  readonly isShared: boolean;
  /** Share of the ways to and from the log that are slow, and how slow at most. */
  readonly slowShare: number;
  readonly slowMsMax: number;
  /** Share of reads of the log that fail. */
  readonly failShare: number;
  /** Instead of that of the plan. */
  readonly answerTimeoutMs: number;
}

/** Share of the seeds that are tight. */
const tightShare = 0.2;

/** Undefined: nothing is limited in this seed. */
export function createTightness(seed: number): Tightness | undefined {
  // A stream of its own, so that the other seeds stay what they were.
  const random = createSeededRandom(seed ^ 0x7167);
  const one = <T>(...list: readonly T[]): T => list[Math.floor(random.float() * list.length)] as T;
  if (random.float() >= tightShare) return undefined;
  return {
    send: { burst: one(1, 2, 4), intervalMs: one(30, 100, 300) },
    frame: one(undefined, { burst: 20, intervalMs: 20 }, { burst: 10, intervalMs: 10 }),
    // A round of sync with a cursor for each conversation has to fit.
    read: one(undefined, { burst: 12, intervalMs: 100 }),
    isShared: one(true, false),
    slowShare: one(0.2, 0.5),
    slowMsMax: one(500, 2_000, 5_000, 5_000),
    failShare: one(0, 0.1, 0.2),
    answerTimeoutMs: one(600, 600, 2_000, 15_000),
  };
}
