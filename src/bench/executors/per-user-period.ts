import { assert } from "../../base/assert.ts";
import { mixFloat, seedFor } from "../data/mix.ts";
import { type Executor, InFlight, type Share, type Start } from "./executor.ts";
import { TimerWheel } from "./timer-wheel.ts";

/**
 * Open: every user acts once a period, each at an offset of its own, so that the load is even from the first second.
 * Jitter moves each act around its place on the grid by up to ± jitter × period, so it never drifts. The n-th act of user u is
 * at a time that depends on (seed, u, n) only. Some 20 bytes a user: a wheel, no timers.
 */
export interface PerUserPeriodOptions {
  readonly periodMs: number;
  /** Share of the period, 0 ≤ jitter < 0.5, so that a user's acts keep their order. */
  readonly jitter: number;
  readonly seed: number;
  readonly users: number;
  readonly share: Share;
  readonly inFlightMax: number;
  readonly endMs: number;
}

const tickMs = 1;
const slotsMax = 65_536;

export class PerUserPeriod implements Executor {
  readonly open = true;
  readonly counts: InFlight;
  readonly #options: PerUserPeriodOptions;
  readonly #offsetSeed: number;
  readonly #jitterSeed: number;
  readonly #wheel: TimerWheel;
  /** Number of the next act of each own user; own users are numbered by u div count. */
  readonly #acts: Uint32Array;
  /** Taken from the wheel but not yet handed over, because the caller wanted no more at once: id, n, id, n, … */
  #due: number[] = [];
  #dueAt = 0;

  constructor(options: PerUserPeriodOptions) {
    assert(options.periodMs > 0 && options.jitter >= 0 && options.jitter < 0.5, "period and jitter");
    this.#options = options;
    this.#offsetSeed = seedFor(options.seed, "offsets");
    this.#jitterSeed = seedFor(options.seed, "jitter");
    this.counts = new InFlight(options.inFlightMax);
    const own = Math.max(0, Math.ceil((options.users - options.share.index) / options.share.count));
    const slots = Math.min(slotsMax, 2 ** Math.ceil(Math.log2(Math.max(2, (options.periodMs * 2) / tickMs))));
    this.#wheel = new TimerWheel({ timersMax: Math.max(1, own), tickMs, slots });
    this.#acts = new Uint32Array(own);
    for (let id = 0; id < own; id++) this.#setNext(id);
  }

  poll(nowMs: number, start: Start, startsMax = Number.POSITIVE_INFINITY): void {
    if (this.#dueAt === this.#due.length) {
      this.#due = [];
      this.#dueAt = 0;
      // The next act is set while the wheel turns: after a long pause it may be due in the same poll.
      this.#wheel.advance(nowMs, (id) => {
        const n = this.#acts[id] as number;
        this.#due.push(id, n);
        this.#acts[id] = n + 1;
        this.#setNext(id);
      });
    }
    for (let starts = 0; this.#dueAt < this.#due.length && starts < startsMax; starts++) {
      const id = this.#due[this.#dueAt++] as number;
      const n = this.#due[this.#dueAt++] as number;
      if (this.counts.admit()) start(this.#userOf(id), n, this.#timeOf(id, n));
    }
  }

  nextDueMs(): number {
    return this.#dueAt < this.#due.length ? 0 : this.#wheel.nextDueMs();
  }

  completed(): void {
    this.counts.complete();
  }

  #setNext(id: number): void {
    const atMs = this.#timeOf(id, this.#acts[id] as number);
    if (atMs < this.#options.endMs) this.#wheel.set(id, atMs);
  }

  #timeOf(id: number, n: number): number {
    const { periodMs, jitter } = this.#options;
    const user = this.#userOf(id);
    const wobble = jitter === 0 ? 0 : (mixFloat(this.#jitterSeed, user, n) * 2 - 1) * jitter;
    // The first act of all must not lie before t0, so the whole grid is moved by the jitter.
    return (mixFloat(this.#offsetSeed, user, 0) + jitter + n + wobble) * periodMs;
  }

  #userOf(id: number): number {
    return id * this.#options.share.count + this.#options.share.index;
  }
}
