import { Histogram } from "./histogram.ts";

/**
 * The three times of an operation. wait = start − intended start (the generator was late, or the in-flight cap held it);
 * service = end − start (what the system took); response = end − intended start (what a user would have felt). Only
 * response is free of coordinated omission; the other two say where it went. Histograms in µs, times in ms.
 */
export class LatencyTriple {
  readonly wait = new Histogram();
  readonly service = new Histogram();
  readonly response = new Histogram();

  record(intendedMs: number, startMs: number, endMs: number): void {
    this.wait.record((startMs - intendedMs) * 1_000);
    this.service.record((endMs - startMs) * 1_000);
    this.response.record((endMs - intendedMs) * 1_000);
  }

  merge(other: LatencyTriple): void {
    this.wait.merge(other.wait);
    this.service.merge(other.service);
    this.response.merge(other.response);
  }

  serialise(): SerialisedTriple {
    return { wait: this.wait.serialise(), service: this.service.serialise(), response: this.response.serialise() };
  }

  static deserialise(data: SerialisedTriple): LatencyTriple {
    const triple = new LatencyTriple();
    triple.wait.merge(Histogram.deserialise(data.wait));
    triple.service.merge(Histogram.deserialise(data.service));
    triple.response.merge(Histogram.deserialise(data.response));
    return triple;
  }
}

export interface SerialisedTriple {
  readonly wait: readonly number[];
  readonly service: readonly number[];
  readonly response: readonly number[];
}
