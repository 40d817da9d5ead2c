import type { Mutant } from "./mutant.ts";

/** The gate does not hear of what a rate limit refuses: what was sent after it goes through. */
export const refusalUntold: Mutant = {
  name: "refusal-untold",
  shows: ({ tight }) => tight !== undefined,
  core: (core) => ({ ...core, delivery: { ...core.delivery, postpone: () => undefined } }),
};
