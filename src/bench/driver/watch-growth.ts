import { setTimeout as sleep } from "node:timers/promises";
import type { FaultEvent } from "../faults/fault-event.ts";
import { growthOf, type GrowthSpan, isDrained, type ServerGrowth } from "../servers/server-growth.ts";
import type { Target } from "./target.ts";

/** How long what waits in the servers after the drain may take to go. */
const settleMs = 10_000;
const againAfterMs = 250;

/** What each server was seen to hold, as far as the run has come. `recordedMs`: the first recorded phase begins. */
export function growthsOf(
  { names, readings }: Target,
  events: readonly FaultEvent[],
  times: { readonly recordedMs: number; readonly loadEndMs: number },
): readonly ServerGrowth[] {
  const begins = events.flatMap(({ atMs }) => atMs ?? []);
  const sinceMs = begins.length === 0 ? times.recordedMs : Math.min(...begins);
  const span: GrowthSpan = { sinceMs, loadEndMs: times.loadEndMs };
  const histories = readings.histories();
  return names.map((server) =>
    growthOf(histories.find((history) => history.server === server) ?? { server, processes: [] }, span),
  );
}

/** The drain is over: reads every server until nothing is left in its queues, or for as long as that may take. */
export async function settle(
  target: Target,
  nowMs: () => number,
  growths: () => readonly ServerGrowth[],
): Promise<void> {
  const deadlineMs = nowMs() + settleMs;
  for (let leftMs = settleMs; leftMs > 0; leftMs = deadlineMs - nowMs()) {
    target.sampleMemory(nowMs());
    // A server whose stores are away may take long to answer. Errors are its own business: then there is no reading.
    await Promise.race([target.sample(nowMs).catch(() => undefined), sleep(leftMs)]);
    if (isDrained(growths())) return;
    await sleep(againAfterMs);
  }
}
