import type { Mutant } from "./mutant.ts";
import { takeOver } from "./take-over.ts";

/**
 * HELLO takes the device at once from the connection that it has elsewhere, instead of asking the device first: one that a
 * process reads late takes it from the connection that was made since.
 */
export const lateHelloTakes: Mutant = {
  name: "late-hello-takes",
  registry: (registry) => ({
    register: (userId, device, connection) => takeOver(registry, userId, device, connection),
    refresh: (...device) => registry.refresh(...device),
    forget: (...device) => registry.forget(...device),
    onDisplaced: (handler) => registry.onDisplaced(handler),
    onLost: (handler) => registry.onLost(handler),
  }),
};
