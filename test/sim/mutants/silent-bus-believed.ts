import type { Mutant } from "./mutant.ts";

/**
 * What was read of blocks and members is believed for its minute, whether or not the bus proves that nothing was missed.
 * Here every notice is lost, and its connection with it: harmless without the mistake, and seldom enough with it.
 */
export const silentBusBelieved: Mutant = {
  name: "silent-bus-believed",
  redis(redis) {
    redis.losesNotice = () => true;
  },
  ports: (ports) => ({
    ...ports,
    bus: {
      deliver: (delivery) => ports.bus.deliver(delivery),
      announce: (notice) => ports.bus.announce(notice),
      subscribe: (receiver) => ports.bus.subscribe(receiver),
      hearing: () => ({ sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }),
    },
  }),
};
