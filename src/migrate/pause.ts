import type { Clock } from "../base/clock.ts";

/** Waits `delayMs`, or until `signal` is aborted; never rejects. Keeps the process alive. */
export async function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  // The clock's timers let a process end; a runner that waits for a lock has to stay.
  const alive = setInterval(() => {}, 1_000);
  await new Promise<void>((resolve) => {
    const timer = clock.schedule(delayMs, end);
    signal?.addEventListener("abort", end);
    function end(): void {
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    }
  });
  clearInterval(alive);
}
