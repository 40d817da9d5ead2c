import { Histogram } from "./histogram.ts";

/**
 * Connections that devices lost against their will: how long until each was back and in sync, and how many attempts that
 * took. Who was not back at the end counts with the time until then.
 */
export interface SerialisedResyncs {
  /** µs. */
  readonly histogram: readonly number[];
  readonly attempts: number;
  readonly lastBackMs: number;
}

export class Resyncs {
  readonly histogram = new Histogram();
  #attempts = 0;
  #lastBackMs = Number.NEGATIVE_INFINITY;

  /** `backMs`: since t0. */
  record(lostMs: number, attempts: number, backMs: number): void {
    this.histogram.record(lostMs * 1_000);
    this.#attempts += attempts;
    this.#lastBackMs = Math.max(this.#lastBackMs, backMs);
  }

  /** When the last of them was back, ms since t0; −∞ when none was lost. */
  get lastBackMs(): number {
    return this.#lastBackMs;
  }

  /** For each connection that was lost; undefined when none was. */
  get attemptsMean(): number | undefined {
    return this.histogram.count === 0 ? undefined : this.#attempts / this.histogram.count;
  }

  serialise(): SerialisedResyncs {
    return { histogram: this.histogram.serialise(), attempts: this.#attempts, lastBackMs: this.#lastBackMs };
  }

  merge(data: SerialisedResyncs): void {
    this.histogram.merge(Histogram.deserialise(data.histogram));
    this.#attempts += data.attempts;
    this.#lastBackMs = Math.max(this.#lastBackMs, data.lastBackMs);
  }
}
