import type { Mutant } from "./mutant.ts";

/** A send to a large group is answered when the queue was asked to take its jobs, not when it has them. */
export const ackBeforeJob: Mutant = {
  name: "ack-before-job",
  ports: (ports) => ({
    ...ports,
    fanOut: {
      membersMax: ports.fanOut.membersMax,
      ready: () => ports.fanOut.ready(),
      lag: () => ports.fanOut.lag(),
      consume: (handle) => ports.fanOut.consume(handle),
      enqueue(jobs) {
        ports.fanOut.enqueue(jobs).catch(() => undefined);
        return Promise.resolve();
      },
    },
  }),
};
