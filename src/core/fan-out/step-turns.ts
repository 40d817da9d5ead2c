import type { Clock, Timer } from "../../base/clock.ts";
import { AdaptiveRate, minPerSecond } from "./adaptive-rate.ts";
import { FanOutStopped } from "./fan-out-stopped.ts";

interface Waiting {
  readonly members: number;
  /** Of what it belongs to, with its own. */
  readonly leftMembers: number;
  /** Ends the waiting; undefined = it is this one's turn. */
  readonly end: (error?: FanOutStopped) => void;
}

/** What waits is told within this time if the stores stand it, and no faster: others notice every burst. */
const tellWithinMs = 5_000;

/** Steps one after the other, at the rate of the moment: those who wait profit from what was learned since they came. */
export class StepTurns {
  readonly #clock: Clock;
  readonly #rate = new AdaptiveRate();
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;
  /** Monotonic. */
  #nextAt = 0;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves when `members` members may be served, at the monotonic time `latest` at the latest. `leftMembers`: these and
   * those of the same job whose turn comes after them. Rejects with FanOutStopped.
   */
  turn(members: number, leftMembers: number, latest: number): Promise<void> {
    if (this.#stopped) return Promise.reject(new FanOutStopped());
    const leftMs = latest - this.#clock.monotonicMs();
    if (leftMs <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const impatience = this.#clock.schedule(leftMs, () => waiting.end());
      const end = (error?: FanOutStopped): void => {
        impatience.cancel();
        this.#waiting.delete(waiting);
        if (error === undefined) resolve();
        else reject(error);
      };
      const waiting: Waiting = { members, leftMembers, end };
      this.#waiting.add(waiting);
      this.#giveTurns();
    });
  }

  /** How long a whole step took. */
  heard(tookMs: number): void {
    this.#rate.heard(tookMs);
  }

  /** A store did not serve a step. */
  failed(): void {
    this.#rate.failed();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { end } of this.#waiting) end(new FanOutStopped());
  }

  #perSecond(): number {
    let leftMembers = 0;
    for (const waiting of this.#waiting) leftMembers += waiting.leftMembers;
    return Math.min(this.#rate.perSecond, Math.max(minPerSecond, (leftMembers / tellWithinMs) * 1_000));
  }

  #giveTurns(): void {
    if (this.#timer !== undefined) return;
    const now = this.#clock.monotonicMs();
    for (const { members, end } of this.#waiting) {
      if (this.#nextAt > now) {
        this.#timer = this.#clock.schedule(this.#nextAt - now, () => {
          this.#timer = undefined;
          this.#giveTurns();
        });
        return;
      }
      // A timer that is late by less than a step costs nothing.
      const gapMs = (members / this.#perSecond()) * 1_000;
      this.#nextAt = Math.max(this.#nextAt, now - gapMs) + gapMs;
      end();
    }
  }
}
