import type { BystanderDelays } from "../stats/bystanders.ts";
import type { RunStats } from "../stats/run-stats.ts";
import type { FaultEvent } from "./fault-event.ts";
import { strikesServer } from "./struck-servers.ts";

/**
 * What deliveries took between devices that no fault cut off: before the first fault that struck a server, and from then
 * until everybody was back in sync. Undefined when no server was struck, or nobody was spared.
 */
export function bystanderDelays(stats: RunStats, events: readonly FaultEvent[]): BystanderDelays | undefined {
  const begins = events.flatMap(({ atMs, which }) => (atMs === undefined || !strikesServer(which) ? [] : [atMs]));
  if (begins.length === 0) return undefined;
  const { timeline, resyncs, bystanders } = stats;
  const fromMs = timeline.startMs(timeline.phases.findIndex(({ record }) => record));
  const delays = bystanders.delays({ fromMs, faultMs: Math.min(...begins), backMs: resyncs.lastBackMs });
  return delays === undefined || delays.before.count + delays.during.count === 0 ? undefined : delays;
}
