/**
 * Whether it makes sense to ask a store that did not answer. closed (ask) → open (several failures in a row: do not ask
 * for a while, so that callers fail at once instead of each waiting for its time-out) → half open (one may try; its answer
 * closes or opens again). Time is handed in, monotonic ms.
 */
export class Circuit {
  static readonly failuresMax = 3;
  static readonly openMs = 500;

  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;

  /** Whether the last that was heard of the store is that it does not answer. */
  get isLost(): boolean {
    return this.#failures > 0;
  }

  /** Whether to ask now. While half open it says yes once per `openMs`. */
  admit(now: number): boolean {
    if (this.#failures < Circuit.failuresMax) return true;
    if (now < this.#openUntil) return false;
    this.#openUntil = now + Circuit.openMs;
    return true;
  }

  answered(): void {
    this.#failures = 0;
  }

  failed(now: number): void {
    this.#failures++;
    this.#openUntil = now + Circuit.openMs;
  }
}
