import { ConnectionGate } from "../../../src/core/delivery/send-gate.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/** As if it had failed now for the first time: what was sent after its first attempt and waits in the lane goes through. */
class Gate extends ConnectionGate {
  override failedAhead(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    this.returned(conversationId, messageId, ticket);
    super.failedAhead(conversationId, messageId, ticket);
  }
}

/** A message that a rate limit refuses twice has the place of its second refusal. */
export const refusedTwiceMovesBack: Mutant = {
  name: "refused-twice-moves-back",
  shows: ({ tight }) => tight !== undefined,
  core: (core) => ({ ...core, delivery: { ...core.delivery, createGate: () => new Gate() } }),
};
