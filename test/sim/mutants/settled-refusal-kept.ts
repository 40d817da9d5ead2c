import { ConnectionGate } from "../../../src/core/delivery/send-gate.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

class Gate extends ConnectionGate {
  override returned(conversationId: Uuid, messageId: Uuid): void {
    super.returned(conversationId, messageId, 0);
  }
}

/** A refusal holds up the rest even when an earlier message came back after it, and with it all that followed in its order. */
export const settledRefusalKept: Mutant = {
  name: "settled-refusal-kept",
  shows: ({ tight }) => tight !== undefined,
  core: (core) => ({ ...core, delivery: { ...core.delivery, createGate: () => new Gate() } }),
};
