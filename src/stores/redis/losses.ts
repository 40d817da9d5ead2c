import type { Clock } from "../../base/clock.ts";

/** A second loss within this time waits: every report makes all clients of this process sync. */
const lossPauseMs = 5_000;

/**
 * Gathers the signs that deliveries to this process, or its registrations, may have been lost, and tells them: the first at
 * once, those that follow at most every five seconds, with the last reason.
 */
export class Losses {
  readonly #clock: Clock;
  readonly #pauseMs: number;
  readonly #handlers: ((reason: string) => void)[] = [];
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #waiting: string | undefined;
  /** Told so far. */
  told = 0;
  /** When the last loss was raised, told or not; monotonic ms. */
  raisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, pauseMs: number = lossPauseMs) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  /** Whether a loss is known that was not told yet. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  onLost(handler: (reason: string) => void): void {
    this.#handlers.push(handler);
  }

  raise(reason: string): void {
    this.raisedAtMs = this.#clock.monotonicMs();
    if (this.#waiting !== undefined) {
      this.#waiting = reason;
      return;
    }
    const leftMs = this.#toldAtMs + this.#pauseMs - this.#clock.monotonicMs();
    if (leftMs <= 0) return this.#tell(reason);
    this.#waiting = reason;
    this.#clock.schedule(leftMs, () => {
      const last = this.#waiting;
      this.#waiting = undefined;
      if (last !== undefined) this.#tell(last);
    });
  }

  #tell(reason: string): void {
    this.#toldAtMs = this.#clock.monotonicMs();
    this.told++;
    for (const handler of this.#handlers) handler(reason);
  }
}
