/**
 * When operations start. An executor owns no timer: the worker polls it with the time since the common t0, and it hands
 * over what is due. Open executors follow a schedule that no answer can slow down; an operation that starts late keeps its
 * intended start, and one that finds the in-flight cap reached is not started but counted. The closed executor follows
 * completions instead.
 */
export interface Executor {
  readonly open: boolean;
  /** Hands over everything due at `nowMs` (ms since t0, never smaller than before), at most `startsMax` of them; the rest stays due. */
  poll(nowMs: number, start: Start, startsMax?: number): void;
  /** When to poll next, ms since t0; Infinity when only a completion (closed) or nothing at all can make more work. */
  nextDueMs(): number;
  /** Tells that an operation handed over has ended, whatever its outcome. */
  completed(): void;
  readonly counts: ExecutorCounts;
}

/**
 * `n` numbers the operation within its user (per-user-period) or within the workload (the others), from 0: with the seed
 * and the user it determines the operation's data.
 */
export type Start = (user: number, n: number, intendedMs: number) => void;

export interface ExecutorCounts {
  /** Due so far: started + capped. */
  readonly asked: number;
  readonly started: number;
  /** Due, but not started, because `inFlightMax` operations were under way. */
  readonly capped: number;
  readonly inFlight: number;
  readonly inFlightPeak: number;
}

/** The in-flight account that every executor keeps. */
export class InFlight implements ExecutorCounts {
  readonly inFlightMax: number;
  started = 0;
  capped = 0;
  inFlight = 0;
  inFlightPeak = 0;

  constructor(inFlightMax: number) {
    this.inFlightMax = inFlightMax;
  }

  get asked(): number {
    return this.started + this.capped;
  }

  /** Whether one more may start; counts it either way. */
  admit(): boolean {
    if (this.inFlight >= this.inFlightMax) {
      this.capped++;
      return false;
    }
    this.started++;
    this.inFlight++;
    if (this.inFlight > this.inFlightPeak) this.inFlightPeak = this.inFlight;
    return true;
  }

  complete(): void {
    if (this.inFlight > 0) this.inFlight--;
  }
}

/** Which users a worker drives: worker `index` of `count` owns the users u with u mod count = index. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

export function owns(share: Share, user: number): boolean {
  return user % share.count === share.index;
}
