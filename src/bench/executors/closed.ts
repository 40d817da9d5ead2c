import { assert } from "../../base/assert.ts";
import type { Selection } from "../data/selection.ts";
import { type Executor, InFlight, owns, type Share, type Start } from "./executor.ts";

/**
 * Closed: keeps `inFlight` operations under way; the next one starts when one has ended. Finds the highest throughput.
 * Its latencies are not comparable with those of an open executor, since a slow system is asked less.
 */
export interface ClosedOptions {
  /** Of this worker, ≥ 1. */
  readonly inFlight: number;
  readonly selectUser: Selection;
  readonly share: Share;
  readonly endMs: number;
}

/** Candidates looked at for one own user; a selection that never names one of ours must not hang the worker. */
const candidatesMax = 100_000;

export class Closed implements Executor {
  readonly open = false;
  readonly counts: InFlight;
  readonly #options: ClosedOptions;
  #next = 0;
  #ended = false;

  constructor(options: ClosedOptions) {
    assert(options.inFlight >= 1, "one operation in flight");
    this.#options = options;
    this.counts = new InFlight(options.inFlight);
  }

  poll(nowMs: number, start: Start, startsMax = Number.POSITIVE_INFINITY): void {
    if (nowMs >= this.#options.endMs) this.#ended = true;
    for (
      let starts = 0;
      !this.#ended && this.counts.inFlight < this.counts.inFlightMax && starts < startsMax;
      starts++
    ) {
      const n = this.#nextOwn();
      if (n < 0) return;
      this.counts.admit();
      start(this.#options.selectUser(n), n, nowMs);
    }
  }

  nextDueMs(): number {
    return this.#ended || this.counts.inFlight >= this.counts.inFlightMax ? Number.POSITIVE_INFINITY : 0;
  }

  completed(): void {
    this.counts.complete();
  }

  #nextOwn(): number {
    const { selectUser, share } = this.#options;
    for (let candidates = 0; candidates < candidatesMax; candidates++) {
      const n = this.#next++;
      if (owns(share, selectUser(n))) return n;
    }
    this.#ended = true;
    return -1;
  }
}

/** Worker `index`'s part of a total that is shared by `count` workers; the parts add up to the total. */
export function partOf(total: number, share: Share): number {
  return Math.floor(total / share.count) + (share.index < total % share.count ? 1 : 0);
}
