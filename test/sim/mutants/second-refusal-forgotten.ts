import { ConnectionGate } from "../../../src/core/delivery/send-gate.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

class Gate extends ConnectionGate {
  override failedAhead(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    if (!this.refuses(conversationId, messageId, ticket)) super.failedAhead(conversationId, messageId, ticket);
  }
}

/**
 * What a rate limit refuses while an earlier message has failed is not noted: when that one, on its way again, is taken,
 * everything goes through.
 */
export const secondRefusalForgotten: Mutant = {
  name: "second-refusal-forgotten",
  shows: ({ tight }) => tight !== undefined,
  core: (core) => ({ ...core, delivery: { ...core.delivery, createGate: () => new Gate() } }),
};
