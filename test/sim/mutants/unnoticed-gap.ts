import type { Mutant } from "./mutant.ts";

/** Pushes that a node missed are noticed by nobody: a lost last push stays lost until something else happens. */
export const unnoticedGap: Mutant = {
  name: "unnoticed-gap",
  bus: (bus) => {
    bus.gapsNoticed = false;
  },
};
