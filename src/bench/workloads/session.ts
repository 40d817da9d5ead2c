import type { Operation } from "../worker/operation.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * session.connect and session.sync: a device leaves, stays away, comes back. The time away is no part of what is measured:
 * `response` counts from when it was to be back. connect ends with WELCOME; sync with SYNC_DONE and, if the device was so
 * far behind that it fills up afterwards, when no row is missing any more.
 */
export interface SessionOptions {
  readonly awayMs: number;
  readonly until: "welcome" | "synced";
}

interface Journey {
  readonly operation: Operation;
  state: "away" | "connecting" | "filling";
}

export function createSession(context: WorkloadContext, { awayMs, until }: SessionOptions): WorkloadRunner {
  const { fleet } = context;
  const journeys = new Map<number, Journey>();
  const filling = new Set<number>();
  const end = (slot: number, error?: string): void => {
    const journey = journeys.get(slot);
    journeys.delete(slot);
    filling.delete(slot);
    journey?.operation.end(error);
  };
  return {
    begin(operation) {
      const slot = pickSlot(context, operation, (candidate) => fleet.isReady(candidate) && !journeys.has(candidate));
      if (slot < 0) return false;
      journeys.set(slot, { operation, state: "away" });
      fleet.leave(slot, awayMs);
      return true;
    },
    connection(slot, state, code) {
      const journey = journeys.get(slot);
      if (journey === undefined) return;
      if (state === "connecting" && journey.state === "away") {
        journey.state = "connecting";
        journey.operation.begin(awayMs);
      } else if (state === "ready" && until === "welcome") end(slot);
      else if (state === "stopped" && code !== undefined) end(slot, `closed ${code}`);
    },
    synced(slot) {
      const journey = journeys.get(slot);
      if (journey === undefined || journey.state === "away" || until !== "synced") return;
      if (fleet.isFilling(slot)) filling.add(slot);
      else end(slot);
    },
    poll() {
      for (const slot of filling) if (!fleet.isFilling(slot)) end(slot);
    },
  };
}
