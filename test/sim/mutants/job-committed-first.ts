import type { Mutant } from "./mutant.ts";

/** A worker takes its jobs out of the queue when it begins with them: those of a process that dies are never done. */
export const jobCommittedFirst: Mutant = {
  name: "job-committed-first",
  ports: (ports) => ({
    ...ports,
    fanOut: {
      membersMax: ports.fanOut.membersMax,
      ready: () => ports.fanOut.ready(),
      lag: () => ports.fanOut.lag(),
      enqueue: (jobs) => ports.fanOut.enqueue(jobs),
      consume: (handle) =>
        ports.fanOut.consume((jobs) => {
          handle(jobs).catch(() => undefined);
          return Promise.resolve();
        }),
    },
  }),
};
