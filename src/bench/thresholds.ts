import { distributionOf, type ProcessFacts, valueOf } from "./measurements.ts";
import {
  type Condition,
  formatSelector,
  metricKinds,
  type MetricKind,
  type MetricUnit,
  type Selector,
} from "./metrics.ts";
import type { RunStats } from "./stats/run-stats.ts";
import type { Histogram } from "./stats/histogram.ts";
import { compare } from "./units.ts";

/** Compares a finished run with what its scenario demands. A demand on data that the run does not have is missed. */
export interface Demand {
  readonly selector: Selector;
  readonly conditions: readonly Condition[];
}

export interface ThresholdVerdict {
  /** As in the scenario: `response{workload:beat}`. */
  readonly metric: string;
  readonly statistic: string;
  /** As in the scenario: `< 50ms`. */
  readonly demanded: string;
  readonly unit: MetricUnit;
  /** Durations in ms, shares as fractions, rates per second, sizes in bytes; undefined = no data. */
  readonly actual: number | undefined;
  readonly ok: boolean;
}

export function judgeThresholds(demands: readonly Demand[], stats: RunStats, facts: ProcessFacts): ThresholdVerdict[] {
  return demands.flatMap(({ selector, conditions }) =>
    conditions.map((condition): ThresholdVerdict => {
      const kind: MetricKind = metricKinds[selector.name];
      const actual = kind.distribution ? statisticOf(stats, selector, condition) : valueOf(stats, facts, selector);
      return {
        metric: formatSelector(selector),
        statistic: condition.statistic,
        demanded: condition.text,
        unit: unitOf(kind, condition),
        actual,
        ok: actual !== undefined && compare(actual, condition.comparison),
      };
    }),
  );
}

function unitOf(kind: MetricKind, { statistic }: Condition): MetricUnit {
  return kind.distribution && (statistic === "count" || statistic === "rate") ? statistic : kind.unit;
}

const shares: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };

function statisticOf(stats: RunStats, selector: Selector, { statistic }: Condition): number | undefined {
  const found = distributionOf(stats, selector);
  if (found === undefined) return statistic === "count" || statistic === "rate" ? 0 : undefined;
  if (statistic === "count") return found.histogram.count;
  if (statistic === "rate") return found.histogram.count / found.seconds;
  return durationMs(found.histogram, statistic);
}

function durationMs(histogram: Histogram, statistic: string): number {
  if (statistic === "max") return histogram.max / 1_000;
  if (statistic === "mean") return histogram.mean / 1_000;
  return histogram.percentile(shares[statistic] ?? 1) / 1_000;
}
