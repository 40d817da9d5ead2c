import { assert } from "../../base/assert.ts";
import { coarseShape, Histogram } from "./histogram.ts";

/**
 * One workload over time: per interval the operations started, ended and failed, and a coarse histogram of response
 * times. Intervals are 1 s for runs of up to ten minutes and wider for longer ones, so a run of a day takes the memory
 * of a run of ten minutes (600 × 3.5 KB at most). The last interval is dropped when the run ends inside it: half an
 * interval looks like a collapse.
 */
const intervalsMax = 600;
const intervalMsMin = 1_000;

export interface Interval {
  /** ms since t0. */
  readonly atMs: number;
  readonly started: number;
  readonly ended: number;
  readonly failed: number;
  /** Messages that reached the socket of a device that was there when they were sent. */
  readonly delivered: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export interface SerialisedSeries {
  readonly durationMs: number;
  readonly started: readonly number[];
  readonly failed: readonly number[];
  readonly delivered: readonly number[];
  /** One serialised histogram per interval; empty where nothing ended. */
  readonly responses: readonly (readonly number[])[];
}

export class TimeSeries {
  readonly durationMs: number;
  readonly intervalMs: number;
  readonly #started: Uint32Array;
  readonly #failed: Uint32Array;
  readonly #delivered: Uint32Array;
  readonly #responses: (Histogram | undefined)[];

  constructor(durationMs: number) {
    assert(durationMs > 0, "duration of a time series");
    this.durationMs = durationMs;
    this.intervalMs = intervalMsOf(durationMs);
    const length = Math.ceil(durationMs / this.intervalMs);
    this.#started = new Uint32Array(length);
    this.#failed = new Uint32Array(length);
    this.#delivered = new Uint32Array(length);
    this.#responses = Array.from({ length });
  }

  started(atMs: number): void {
    const index = this.#indexAt(atMs);
    if (index >= 0) this.#started[index] = (this.#started[index] as number) + 1;
  }

  delivered(atMs: number): void {
    const index = this.#indexAt(atMs);
    if (index >= 0) this.#delivered[index] = (this.#delivered[index] as number) + 1;
  }

  /** `atMs` = when it ended. */
  ended(atMs: number, responseMs: number, ok: boolean): void {
    const index = this.#indexAt(atMs);
    if (index < 0) return;
    const histogram = (this.#responses[index] ??= new Histogram(coarseShape));
    histogram.record(responseMs * 1_000);
    if (!ok) this.#failed[index] = (this.#failed[index] as number) + 1;
  }

  /** The series of another worker over the same run. */
  merge(data: SerialisedSeries): void {
    assert(data.durationMs === this.durationMs, "time series of one duration");
    for (let index = 0; index < this.#started.length; index++) {
      this.#started[index] = (this.#started[index] as number) + (data.started[index] ?? 0);
      this.#failed[index] = (this.#failed[index] as number) + (data.failed[index] ?? 0);
      this.#delivered[index] = (this.#delivered[index] as number) + (data.delivered[index] ?? 0);
      const response = data.responses[index];
      if (response === undefined || response.length === 0) continue;
      const histogram = (this.#responses[index] ??= new Histogram(coarseShape));
      histogram.merge(Histogram.deserialise(response));
    }
  }

  serialise(): SerialisedSeries {
    return {
      durationMs: this.durationMs,
      started: [...this.#started],
      failed: [...this.#failed],
      delivered: [...this.#delivered],
      responses: this.#responses.map((histogram) => histogram?.serialise() ?? []),
    };
  }

  /** Whole intervals that had ended by `untilMs`. */
  intervals(untilMs: number): Interval[] {
    const whole = Math.min(
      this.#started.length,
      Math.floor(untilMs / this.intervalMs),
      Math.floor(this.durationMs / this.intervalMs),
    );
    return Array.from({ length: Math.max(0, whole) }, (_, index) => this.interval(index));
  }

  /** One interval, whole or not; `index` within the series. */
  interval(index: number): Interval {
    assert(index >= 0 && index < this.#started.length, `interval ${index}`);
    const histogram = this.#responses[index];
    return {
      atMs: index * this.intervalMs,
      started: this.#started[index] as number,
      ended: histogram?.count ?? 0,
      failed: this.#failed[index] as number,
      delivered: this.#delivered[index] as number,
      p50Us: histogram?.percentile(0.5) ?? 0,
      p99Us: histogram?.percentile(0.99) ?? 0,
      maxUs: histogram?.max ?? 0,
    };
  }

  /** −1 outside the run: what ends during the drain is in the totals, not on the axis. */
  #indexAt(atMs: number): number {
    const index = Math.floor(atMs / this.intervalMs);
    return index >= 0 && index < this.#started.length ? index : -1;
  }
}

/** Width of the intervals of a load that lasts so long. */
export function intervalMsOf(durationMs: number): number {
  return Math.max(intervalMsMin, Math.ceil(durationMs / intervalsMax / intervalMsMin) * intervalMsMin);
}
