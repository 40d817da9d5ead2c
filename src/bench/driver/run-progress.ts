import type { Progress } from "../report/progress.ts";
import { coarseShape, Histogram } from "../stats/histogram.ts";
import type { Timeline } from "../stats/timeline.ts";
import type { WorkerProgress } from "../worker/messages.ts";

/** The last second of all workers as one line's worth of numbers. */
export function mergeProgress(
  workers: readonly (WorkerProgress | undefined)[],
  timeline: Timeline,
  atMs: number,
): Progress {
  const known = workers.filter((progress) => progress !== undefined);
  const sum = (of: (progress: WorkerProgress) => number): number =>
    known.reduce((total, progress) => total + of(progress), 0);
  const responses = new Histogram(coarseShape);
  for (const progress of known) responses.merge(Histogram.deserialise(progress.responses));
  const phase = timeline.phaseAt(atMs);
  return {
    atMs,
    totalMs: timeline.endMs,
    phase: phase < 0 ? "drain" : (timeline.phases[phase]?.name ?? ""),
    startedPerSecond: sum(({ started }) => started),
    endedPerSecond: sum(({ ended }) => ended),
    deliveredPerSecond: sum(({ delivered }) => delivered),
    p50Us: responses.percentile(0.5),
    p99Us: responses.percentile(0.99),
    errors: sum(({ errors }) => errors),
    faults: sum(({ faults }) => faults),
    cpu: Math.max(0, ...known.map(({ cpu }) => cpu)),
  };
}
