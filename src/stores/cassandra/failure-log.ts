import type { Clock } from "../../base/clock.ts";
import { createFailureLog as createBoundedLog } from "../../base/failure-log.ts";
import type { Logger } from "../../base/logger.ts";
import type { StoreError } from "../../base/store-error.ts";
import type { ReportFailure } from "./session.ts";

/**
 * Logs why Cassandra did not do what it was asked and what mends it, at most one line a second. `explain` puts the driver's
 * error into words.
 */
export function createFailureLog(
  clock: Clock,
  log: Logger | undefined,
  explain: (cause: unknown) => StoreError,
): ReportFailure {
  const report = createBoundedLog(clock, (fields) => log?.warn(fields, "Cassandra did not do as asked"));
  return (cause) => report("", () => ({ err: explain(cause) }));
}
