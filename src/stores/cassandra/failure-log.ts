import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { StoreError } from "../../base/store-error.ts";
import type { ReportFailure } from "./session.ts";

const intervalMs = 1_000;

/**
 * Logs why Cassandra did not do what it was asked and what mends it: at most one line a second, with the number of those
 * left out. `explain` puts the driver's error into words.
 */
export function createFailureLog(
  clock: Clock,
  log: Logger | undefined,
  explain: (cause: unknown) => StoreError,
): ReportFailure {
  let next = -Infinity;
  let left = 0;
  return (cause) => {
    const now = clock.monotonicMs();
    if (now < next) {
      left++;
      return;
    }
    log?.warn({ err: explain(cause), left_out: left }, "Cassandra did not do as asked");
    next = now + intervalMs;
    left = 0;
  };
}
