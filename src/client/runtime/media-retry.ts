import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { backoffMs } from "../machine/backoff.ts";
import { ApiError } from "./http.ts";

export interface RetryDeps {
  readonly clock: Pick<Clock, "schedule">;
  readonly random: Random;
}

const attemptsMax = 6;
const backoffMinMs = 500;
const backoffMaxMs = 10_000;

/** Runs `attempt` until it succeeds, fails for good, or failed too often in a row. */
export async function retrying<T>(
  deps: RetryDeps,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      await waitOrThrow(deps, signal, error, failures);
    }
  }
}

/**
 * After the `failures`-th failure in a row (from 1): resolves when it is time to try again, or throws the error, if it is
 * anything but a temporary ApiError or there were too many, or the signal's reason.
 */
export async function waitOrThrow(
  { clock, random }: RetryDeps,
  signal: AbortSignal | undefined,
  error: unknown,
  failures: number,
): Promise<void> {
  signal?.throwIfAborted();
  if (!(error instanceof ApiError) || !error.temporary || failures >= attemptsMax) throw error;
  const waitMs = Math.max(backoffMs(failures - 1, backoffMinMs, backoffMaxMs, random), error.retryAfterMs ?? 0);
  await new Promise<void>((resolve) => void clock.schedule(waitMs, resolve));
}

/** What an object store, or the way to it, did instead of what it was asked for. */
export function storeFailure(code: string, status: number, message: string, cause?: unknown): ApiError {
  const temporary = status === 0 || status === 408 || status === 429 || status >= 500;
  const fix = temporary ? "Try again later." : "Begin again: addresses of media hold for a limited time.";
  return new ApiError({ code, status, message, temporary, fix, cause });
}

/** Without progress for this long, a connection counts as broken. */
export const stallTimeoutMs = 60_000;
