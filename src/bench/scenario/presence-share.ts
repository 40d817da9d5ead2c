import type { Scenario } from "./schema.ts";

/** As few as are worth looking at in a small run are watched all the same (driver/presence-plan.ts). */
const shareWithFaults = 0.01;

/** Share of the users who are watched; 0: presence is not checked. By default where something breaks. */
export function presenceShareOf({ verify, faults, target }: Pick<Scenario, "verify" | "faults" | "target">): number {
  if (target.mode !== "server") return 0;
  return verify.presence ?? (faults.length > 0 ? shareWithFaults : 0);
}
