import type { Mutant } from "./mutant.ts";

/** The log says "appended" when it has taken the request, not when the rows are on the disk. */
export const ackBeforeDurable: Mutant = {
  name: "ack-before-durable",
  ports: (ports) => ({
    ...ports,
    log: {
      bucketRows: ports.log.bucketRows,
      newestBucket: (...request) => ports.log.newestBucket(...request),
      readBucket: (...request) => ports.log.readBucket(...request),
      writeLists: (writes) => ports.log.writeLists(writes),
      append(request) {
        ports.log.append(request).catch(() => undefined);
        return Promise.resolve({ outcome: "appended" });
      },
    },
  }),
};
