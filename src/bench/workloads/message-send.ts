import { mix32, seedFor } from "../data/mix.ts";
import { createSizes, type SizeSpec } from "../data/sizes.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * message.send and group.send: one message to the conversation that the targets name; ends with its ACK. A user with no
 * device at hand does not write. A device that has lost its connection does: the message waits in its outbox, and that
 * time is part of the response.
 */
export function createMessageSend(context: WorkloadContext, size: SizeSpec): WorkloadRunner {
  const { fleet, sender, targets } = context;
  const sizeSeed = seedFor(context.seed, "sizes");
  const sizes = createSizes(size, sizeSeed);
  const isPresent = (slot: number): boolean => !fleet.isAway(slot);
  return {
    begin(operation) {
      const { user, n, intendedMs, workload } = operation;
      const slot = pickSlot(context, operation, isPresent);
      const conversation = targets.conversationOf(user, n);
      if (slot < 0 || conversation < 0) return false;
      sender.send({
        slot,
        conversation,
        textBytes: sizes(mix32(sizeSeed, user, n)),
        intendedUs: Math.round(intendedMs * 1_000),
        workload,
        settled: (error) => operation.end(error),
      });
      return true;
    },
  };
}
