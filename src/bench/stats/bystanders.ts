import { Histogram } from "./histogram.ts";

/**
 * Deliveries between devices of servers that no fault strikes: what the others notice when a server dies. Each is kept with
 * its two times, since only afterwards is it known when everybody was back. Bounded: beyond `deliveriesMax` they are
 * counted and not kept, and then nothing is said.
 */
export interface SerialisedBystanders {
  /** Intended start and arrival by turns, ms since t0. */
  readonly times: Float64Array;
  readonly dropped: number;
}

export interface BystanderSpan {
  /** The first recorded phase begins, ms since t0. */
  readonly fromMs: number;
  /** The first fault of a server or of the way to one began. */
  readonly faultMs: number;
  /** The last connection that was lost is back; −∞: none was. */
  readonly backMs: number;
}

export interface BystanderDelays {
  readonly before: Histogram;
  readonly during: Histogram;
  /** Until when is meant by `during`, ms since t0. */
  readonly untilMs: number;
}

/** 16 bytes each. */
const deliveriesMaxDefault = 262_144;
/** So long is looked at in any case: where everybody is back at once, hardly a message was sent meanwhile. */
const spanMsMin = 5_000;
/** With fewer on either side a p99 is one message's fate. */
export const bystandersMin = 50;

export class Bystanders {
  readonly #deliveriesMax: number;
  #times = new Float64Array(0);
  #count = 0;
  #dropped = 0;

  constructor(deliveriesMax = deliveriesMaxDefault) {
    this.#deliveriesMax = deliveriesMax;
  }

  record(intendedMs: number, atMs: number): void {
    if (this.#count === this.#deliveriesMax) {
      this.#dropped++;
      return;
    }
    if (this.#times.length === 2 * this.#count) {
      const larger = new Float64Array(Math.min(2 * this.#deliveriesMax, Math.max(256, 4 * this.#count)));
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#times[2 * this.#count] = intendedMs;
    this.#times[2 * this.#count + 1] = atMs;
    this.#count++;
  }

  /**
   * What was under way when the fault came counts to its time, and so does what was meant to be sent until everybody was
   * back, however late it came. Undefined when some could not be kept.
   */
  delays({ fromMs, faultMs, backMs }: BystanderSpan): BystanderDelays | undefined {
    if (this.#dropped > 0) return undefined;
    const untilMs = Math.max(backMs, faultMs + spanMsMin);
    const [before, during] = [new Histogram(), new Histogram()];
    for (let index = 0; index < this.#count; index++) {
      const [intendedMs, atMs] = [this.#times[2 * index] as number, this.#times[2 * index + 1] as number];
      if (intendedMs < fromMs || intendedMs > untilMs) continue;
      (atMs < faultMs ? before : during).record((atMs - intendedMs) * 1_000);
    }
    return { before, during, untilMs };
  }

  serialise(): SerialisedBystanders {
    return { times: this.#times.slice(0, 2 * this.#count), dropped: this.#dropped };
  }

  merge({ times, dropped }: SerialisedBystanders): void {
    this.#dropped += dropped;
    for (let index = 0; index < times.length; index += 2) {
      this.record(times[index] as number, times[index + 1] as number);
    }
  }
}

/** p99 of `during`, of that of `before`; undefined when there are too few to tell. */
export function bystanderP99Ratio(delays: BystanderDelays | undefined): number | undefined {
  if (delays === undefined) return undefined;
  const { before, during } = delays;
  if (before.count < bystandersMin || during.count < bystandersMin) return undefined;
  return during.percentile(0.99) / Math.max(1, before.percentile(0.99));
}
