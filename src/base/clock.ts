/** A pending timer. `cancel` is idempotent and safe after the timer fired. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time for code that the simulator runs. Wall time is for what people and other machines see;
 * monotonic time is for durations, since wall clocks jump.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, integer. May go backwards. */
  nowMs(): number;
  /** Milliseconds since an arbitrary origin, fractional. Never goes backwards. */
  monotonicMs(): number;
  /** Runs `run` once, not before `delayMs` (≥ 0) have passed. Does not keep the process alive. */
  schedule(delayMs: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
