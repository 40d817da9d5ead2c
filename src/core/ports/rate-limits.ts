/** A GCRA bucket: `burst` operations at once, then one every `intervalMs`. */
export interface RateRule {
  readonly burst: number;
  readonly intervalMs: number;
}

/**
 * Takes `cost` (≥ 1) from the bucket `key`. Answers 0 when it was taken, otherwise the ms after which it may be tried
 * again (nothing was taken). A cost above the burst needs a full bucket and takes all of it. Soft state; bounded memory:
 * a full bucket is the same as none.
 */
export interface RateLimits {
  take(key: string, rule: RateRule, cost: number, at: number): Promise<number> | number;
}
