import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { ReportFailure } from "./session.ts";

const intervalMs = 1_000;

/** Logs why Cassandra did not do what it was asked: at most one line a second, with the number of those left out. */
export function createFailureLog(clock: Clock, log: Logger | undefined): ReportFailure {
  let next = -Infinity;
  let left = 0;
  return (cause) => {
    const now = clock.monotonicMs();
    if (now < next) {
      left++;
      return;
    }
    log?.warn({ err: cause, left_out: left }, "Cassandra did not do as asked");
    next = now + intervalMs;
    left = 0;
  };
}
