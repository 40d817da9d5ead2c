import type { Operation } from "../worker/operation.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * presence.heartbeat: one HEARTBEAT, ends with its answer. Answers carry no name, so they are matched in order. While a
 * device beats by this workload, its machine's own heartbeats are left out.
 */
export function createPresenceHeartbeat(context: WorkloadContext): WorkloadRunner {
  const { fleet } = context;
  const waiting = new Map<number, Operation[]>();
  return {
    begin(operation) {
      const slot = pickSlot(context, operation, (candidate) => fleet.isReady(candidate));
      if (slot < 0) return false;
      const operations = waiting.get(slot);
      if (operations === undefined) waiting.set(slot, [operation]);
      else operations.push(operation);
      fleet.transmit(slot, { type: "HEARTBEAT" });
      return true;
    },
    takes(slot, frame) {
      if (frame.type !== "HEARTBEAT_ACK") return false;
      const operations = waiting.get(slot);
      operations?.shift()?.end();
      if (operations?.length === 0) waiting.delete(slot);
      return false;
    },
    connection(slot, state) {
      if (state === "ready") return;
      for (const operation of waiting.get(slot) ?? []) {
        if (fleet.isAway(slot)) operation.withdraw();
        else operation.end("disconnected");
      }
      waiting.delete(slot);
    },
  };
}
