import type { Mutant } from "./mutant.ts";

/** What a node once read of blocks and members it uses for ever, whatever other nodes change. */
export const deafCaches: Mutant = {
  name: "deaf-caches",
  coreOptions: { cacheTtlMs: Number.POSITIVE_INFINITY },
  hears: () => false,
};
