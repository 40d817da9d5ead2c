import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/** A process says once that it wants to hear of a user, and never again: what it wished ends, or is forgotten with Redis. */
export const interestWishedOnce: Mutant = {
  name: "interest-wished-once",
  interest(interest) {
    const wished = new Set<Uuid>();
    return {
      async want(userIds) {
        const fresh = userIds.filter((userId) => !wished.has(userId));
        await interest.want(fresh);
        for (const userId of fresh) wished.add(userId);
      },
      async release(userIds) {
        for (const userId of userIds) wished.delete(userId);
        await interest.release(userIds);
      },
      tell: (userId) => interest.tell(userId),
      onTold: (handler) => interest.onTold(handler),
    };
  },
};
