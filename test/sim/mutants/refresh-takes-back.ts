import type { Mutant } from "./mutant.ts";
import { takeOver } from "./take-over.ts";

/** A refresh is a registration: a connection that its device has left takes the device back from the one it has now. */
export const refreshTakesBack: Mutant = {
  name: "refresh-takes-back",
  registry: (registry) => ({
    register: (...device) => registry.register(...device),
    async refresh(...device) {
      await takeOver(registry, ...device);
      return "held";
    },
    forget: (...device) => registry.forget(...device),
    // Else the two would take the device from each other without end.
    onDisplaced: () => undefined,
    onLost: (handler) => registry.onLost(handler),
  }),
};
