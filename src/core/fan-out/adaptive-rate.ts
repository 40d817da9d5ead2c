import { limits } from "../../protocol/limits.ts";

/** Before anything was heard: enough to tell a thousand within five seconds, which is all that one message asks for. */
const startPerSecond = 256;
/** One message to the largest group in fanOutSpreadMs, with some to spare: stores that cannot do this have other troubles. */
export const minPerSecond = 128;
/** A step that takes this much longer than steps do when little is going on says that others wait as well. */
const slowFactor = 1.75;
const [faster, slower] = [1.1, 0.75];
/** Of one step in the smoothed time: a single slow one is noise. */
const smoothing = 1 / 4;
/** What the best is forgotten by with each step: 1,000 steps after the stores got slower for good, that is how they are. */
const forgetting = 1.002;

/**
 * How many members a second this process serves: as many as the stores take without getting slower, up to
 * fanOutMembersPerSecond. It learns from how long its own steps take, as delay-based congestion control does (TCP Vegas): they
 * wait in the same queues as everybody else's statements, and so do the receipts that follow the pushes.
 */
export class AdaptiveRate {
  #perSecond = startPerSecond;
  #smoothMs: number | undefined;
  #bestMs = Number.POSITIVE_INFINITY;

  get perSecond(): number {
    return this.#perSecond;
  }

  /** How long a step took. */
  heard(tookMs: number): void {
    this.#smoothMs = this.#smoothMs === undefined ? tookMs : this.#smoothMs + (tookMs - this.#smoothMs) * smoothing;
    this.#bestMs = Math.min(this.#bestMs * forgetting, this.#smoothMs);
    // Stores of this machine answer within the resolution of the clock: nothing is slow that takes less than a millisecond.
    const isSlow = this.#smoothMs > Math.max(this.#bestMs * slowFactor, 1);
    this.#turn(isSlow ? slower : faster);
  }

  /** A step had no answer, or was refused: worse than slow, and its time says nothing, since a refusal is quick. */
  failed(): void {
    this.#turn(slower);
  }

  #turn(factor: number): void {
    this.#perSecond = Math.min(Math.max(this.#perSecond * factor, minPerSecond), limits.fanOutMembersPerSecond);
  }
}
