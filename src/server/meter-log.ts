import type { MessageLog } from "../core/ports/message-log.ts";
import type { Metrics } from "./metrics.ts";

/** The same log, counted: how many messages each write made durable, and how it ended. */
export function meterLog(log: MessageLog, metrics: Pick<Metrics, "appended">): MessageLog {
  return {
    bucketRows: log.bucketRows,
    newestBucket: (...request) => log.newestBucket(...request),
    readBucket: (...request) => log.readBucket(...request),
    writeLists: (writes) => log.writeLists(writes),
    append(request) {
      const appending = log.append(request);
      appending.then(
        ({ outcome }) => metrics.appended(outcome, request.rows.length),
        () => metrics.appended("failed", request.rows.length),
      );
      return appending;
    },
  };
}
