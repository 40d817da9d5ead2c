import { assert } from "../../base/assert.ts";
import { mixFloat, seedFor } from "../data/mix.ts";
import type { Selection } from "../data/selection.ts";
import { type Executor, InFlight, owns, type Share, type Start } from "./executor.ts";

/**
 * Open: `ratePerSecond` arrivals over all workers, evenly spaced or as a Poisson process. Every worker walks the whole
 * schedule and keeps the arrivals of its own users (below 0.1 µs each), so the same seed gives the same operations at the
 * same times on any number of workers.
 */
export interface ConstantArrivalRateOptions {
  readonly ratePerSecond: number;
  readonly arrival: "uniform" | "poisson";
  readonly seed: number;
  /** User of the k-th arrival. */
  readonly selectUser: Selection;
  readonly share: Share;
  /** Of this worker. */
  readonly inFlightMax: number;
  /** No arrival is due at or after this time, ms since t0. */
  readonly endMs: number;
}

export class ConstantArrivalRate implements Executor {
  readonly open = true;
  readonly counts: InFlight;
  readonly #options: ConstantArrivalRateOptions;
  readonly #gapMs: number;
  readonly #gapSeed: number;
  /** Number and time of the next arrival that is ours. */
  #next = -1;
  #nextMs = 0;
  #user = 0;

  constructor(options: ConstantArrivalRateOptions) {
    assert(options.ratePerSecond > 0, "a rate above zero");
    this.#options = options;
    this.#gapMs = 1_000 / options.ratePerSecond;
    this.#gapSeed = seedFor(options.seed, "gaps");
    this.counts = new InFlight(options.inFlightMax);
    this.#advance();
  }

  poll(nowMs: number, start: Start, startsMax = Number.POSITIVE_INFINITY): void {
    for (let starts = 0; this.#nextMs <= nowMs && starts < startsMax; starts++) {
      const user = this.#user;
      const n = this.#next;
      const intendedMs = this.#nextMs;
      this.#advance();
      if (this.counts.admit()) start(user, n, intendedMs);
    }
  }

  nextDueMs(): number {
    return this.#nextMs;
  }

  completed(): void {
    this.counts.complete();
  }

  /** To the next arrival of an own user; its time becomes Infinity at the end. */
  #advance(): void {
    const { selectUser, share, endMs, arrival } = this.#options;
    do {
      this.#next++;
      if (arrival === "uniform") this.#nextMs = this.#next * this.#gapMs;
      else this.#nextMs += -Math.log(1 - mixFloat(this.#gapSeed, this.#next, 0)) * this.#gapMs;
      if (this.#nextMs >= endMs) {
        this.#nextMs = Number.POSITIVE_INFINITY;
        return;
      }
      this.#user = selectUser(this.#next);
    } while (!owns(share, this.#user));
  }
}
