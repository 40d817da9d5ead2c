import type { Mutant } from "./mutant.ts";

/** Whoever changes a user's presence tells nobody: watchers on other processes find out when they look the next time. */
export const presenceUntold: Mutant = {
  name: "presence-untold",
  interest: (interest) => ({
    want: (userIds) => interest.want(userIds),
    release: (userIds) => interest.release(userIds),
    tell: () => undefined,
    onTold: (handler) => interest.onTold(handler),
  }),
};
