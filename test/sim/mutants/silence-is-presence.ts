import type { Mutant } from "./mutant.ts";

/** Only a connection that ends takes its presence with it: one that fell silent, or whose end Redis was not told of, leaves it. */
export const silenceIsPresence: Mutant = {
  name: "silence-is-presence",
  presence: (presence) => ({
    beat: (...beat) => presence.beat(...beat),
    leave: () => Promise.resolve(),
    lookup: (...users) => presence.lookup(...users),
  }),
};
