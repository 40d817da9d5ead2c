import type { Mutant } from "./mutant.ts";

/** What a node missed it knows of, and tells nobody: a lost last push stays lost until something else happens. */
export const unnoticedGap: Mutant = {
  name: "unnoticed-gap",
  registry: (registry) => ({
    register: (...device) => registry.register(...device),
    refresh: (...device) => registry.refresh(...device),
    forget: (...device) => registry.forget(...device),
    onDisplaced: (handler) => registry.onDisplaced(handler),
    onLost: () => undefined,
  }),
};
