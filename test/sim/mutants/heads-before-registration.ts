import type { Mutant } from "./mutant.ts";
import { takeOver } from "./take-over.ts";

/** WELCOME does not wait until other processes find the connection: what is sent after its heads were read may pass it by. */
export const headsBeforeRegistration: Mutant = {
  name: "heads-before-registration",
  registry(registry) {
    let mend = (_reason: string): void => undefined;
    return {
      register(userId, device, connection) {
        takeOver(registry, userId, device, connection).catch(() => mend("a registration was not taken"));
        return Promise.resolve(undefined);
      },
      refresh: (...device) => registry.refresh(...device),
      forget: (...device) => registry.forget(...device),
      onDisplaced: (handler) => registry.onDisplaced(handler),
      onLost(handler) {
        mend = handler;
        registry.onLost(handler);
      },
    };
  },
};
