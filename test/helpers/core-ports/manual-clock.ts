import { assert } from "../../../src/base/assert.ts";
import type { Clock, Timer } from "../../../src/base/clock.ts";

/** Time that passes only when told. Timers that fall due run in the order of their times. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  constructor(nowMs = 1_700_000_000_000) {
    this.#now = nowMs;
  }

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  schedule(delayMs: number, run: () => void): Timer {
    assert(delayMs >= 0, `delay ${delayMs}`);
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= until).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }
}
