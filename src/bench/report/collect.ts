import { routes } from "../metrics.ts";
import { Histogram } from "../stats/histogram.ts";
import type { CounterName } from "../stats/counters.ts";
import { deliveryEdges, type Cell, type DeliveryEdge, type DeliveryPart, type RunStats } from "../stats/run-stats.ts";
import type { Workload } from "../scenario/schema.ts";
import type { DistributionResult, WorkloadResult } from "./result.ts";

/** Merged stats of all workers → the workloads of a result: recorded phases only. */
export function collectWorkloads(
  stats: RunStats,
  workloads: readonly Workload[],
  errors: Readonly<Record<string, Readonly<Record<string, number>>>>,
  phaseCpuMs: readonly number[] = [],
): WorkloadResult[] {
  return workloads.map((workload, index) => {
    const cells = stats.recordedCells(workload.name);
    const seconds = stats.recordedSeconds(undefined, workload.name);
    const sum = (name: CounterName): number => cells.reduce((total, cell) => total + cell.counters.get(name), 0);
    const series = stats.series(index);
    const merged = (part: DeliveryPart): DistributionResult => mergedDistribution(cells, (cell) => cell.delivery[part]);
    const [same, cross] = routes.map(merged);
    return {
      name: workload.name,
      does: workload.do,
      executor: workload.when.executor,
      open: workload.when.executor !== "closed",
      asked: sum("asked"),
      started: sum("started"),
      capped: sum("capped"),
      succeeded: sum("succeeded"),
      failed: sum("failed"),
      abandoned: sum("abandoned"),
      skipped: sum("skipped"),
      askedPerSecond: seconds === 0 ? 0 : sum("asked") / seconds,
      succeededPerSecond: seconds === 0 ? 0 : sum("succeeded") / seconds,
      ...generatorCpuOf(stats, workloads, workload, phaseCpuMs),
      wait: mergedDistribution(cells, (cell) => cell.latency.wait),
      service: mergedDistribution(cells, (cell) => cell.latency.service),
      response: mergedDistribution(cells, (cell) => cell.latency.response),
      delivery: {
        ...(Object.fromEntries(deliveryEdges.map((edge) => [edge, merged(edge)])) as Record<
          DeliveryEdge,
          DistributionResult
        >),
        ...(same?.count === 0 && cross?.count === 0 ? {} : { same, cross }),
      },
      errors: { ...errors[workload.name] },
      intervalMs: series.intervalMs,
      series: series.intervals(Math.min(series.durationMs, stats.stoppedMs)),
    };
  });
}

/**
 * What one operation takes of the generator's CPU, where a workload has its phases to itself: of two clients that do the
 * same it tells the dearer one also on a machine that is busy with other things.
 */
function generatorCpuOf(
  stats: RunStats,
  workloads: readonly Workload[],
  { name, during }: Workload,
  phaseCpuMs: readonly number[],
): { readonly generatorCpuUs?: number } {
  const others = workloads.filter((other) => other.name !== name);
  const { phases } = stats.timeline;
  const own = phases.filter((phase) => phase.record && during?.includes(phase.name) !== false);
  const isAlone = own.every((phase) => others.every((other) => other.during?.includes(phase.name) === false));
  const cpuMs = own.reduce((sum, phase) => sum + (phaseCpuMs[phases.indexOf(phase)] ?? 0), 0);
  const ended = stats.recordedCells(name).reduce((sum, { counters }) => sum + counters.get("succeeded"), 0);
  return isAlone && cpuMs > 0 && ended > 0 ? { generatorCpuUs: (cpuMs * 1_000) / ended } : {};
}

function mergedDistribution(cells: readonly Cell[], histogramOf: (cell: Cell) => Histogram): DistributionResult {
  const merged = new Histogram();
  for (const cell of cells) merged.merge(histogramOf(cell));
  return describe(merged);
}

export function describe(histogram: Histogram): DistributionResult {
  return {
    count: histogram.count,
    meanUs: Math.round(histogram.mean),
    p50Us: histogram.percentile(0.5),
    p90Us: histogram.percentile(0.9),
    p99Us: histogram.percentile(0.99),
    p999Us: histogram.percentile(0.999),
    maxUs: histogram.max,
    histogram: histogram.serialise(),
  };
}
