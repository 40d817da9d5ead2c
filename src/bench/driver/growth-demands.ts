import { type MetricName, parseCondition } from "../metrics.ts";
import type { Scenario } from "../scenario/schema.ts";
import { growthLimits } from "../servers/server-growth.ts";
import type { Demand } from "../thresholds.ts";

/**
 * The half of promise I12 about bounds, in every scenario with faults that does not say better what it wants. Also where
 * faults were added to it: no load is too thin to show that nothing grows.
 */
export function growthDemandsOf({ faults, thresholds }: Scenario): readonly Demand[] {
  if (faults.length === 0) return [];
  const { memoryBytes, queueEntries, queueBytes } = growthLimits;
  const bounds: readonly (readonly [MetricName, string])[] = [
    ["server_memory_growth", `${memoryBytes / mebibyte}MiB`],
    ["server_queue_entries_left", String(queueEntries)],
    ["server_queue_bytes_left", `${queueBytes / kibibyte}KiB`],
  ];
  return bounds.flatMap(([name, bound]) => {
    if (thresholds.some(({ selector }) => selector.name === name)) return [];
    return [{ selector: { name }, conditions: [parseCondition(name, "max", bound)] }];
  });
}

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;
