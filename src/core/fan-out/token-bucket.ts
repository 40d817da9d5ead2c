import { assert } from "../../base/assert.ts";

/**
 * Tokens that come back at a steady rate up to a bound. Taking more than there are is a debt: whoever takes waits until
 * it is paid, and whoever comes after waits behind. The debt is bounded too, for those who may not wait for ever.
 */
export class TokenBucket {
  readonly #tokensMax: number;
  readonly #tokensPerMs: number;
  readonly #debtMax: number;
  #tokens: number;
  #at: number;

  /** Full at `nowMs`. `debtMsMax`: longest that `take` ever answers. */
  constructor(tokensMax: number, tokensPerMs: number, debtMsMax: number, nowMs: number) {
    assert(tokensMax > 0 && tokensPerMs > 0, "a bucket that gives something");
    this.#tokensMax = tokensMax;
    this.#tokensPerMs = tokensPerMs;
    this.#debtMax = debtMsMax * tokensPerMs;
    this.#tokens = tokensMax;
    this.#at = nowMs;
  }

  /** Ms to wait before what was paid for may be done. */
  take(tokens: number, nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens = Math.max(this.#tokens - tokens, -this.#debtMax);
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#tokensPerMs;
  }

  /** Nothing would be different if it were made anew. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens === this.#tokensMax;
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#tokensMax, this.#tokens + (nowMs - this.#at) * this.#tokensPerMs);
    this.#at = nowMs;
  }
}
