import { assert } from "../base/assert.ts";
import { metricKinds, type Selector } from "./metrics.ts";
import type { PresenceTimes, PresenceVerdict } from "./presence/presence-verdict.ts";
import { Histogram } from "./stats/histogram.ts";
import type { CounterName } from "./stats/counters.ts";
import type { Cell, RunStats } from "./stats/run-stats.ts";

/** The metrics of a run by name: histograms and counters of the merged stats, and what was read off the processes. */
export interface ProcessFacts {
  /** CPU time of the busiest worker over wall time under load, share of one core. */
  readonly generatorCpu: number;
  readonly serverRssBytes?: number | undefined;
  readonly serverRssPerConnectionBytes?: number | undefined;
  /** Undefined: there was no fault, or after one of them the run did not recover. */
  readonly recoveryMs?: number | undefined;
  /** Undefined: a server was not read. */
  readonly memoryGrowthBytes?: number | undefined;
  readonly queueEntriesLeft?: number | undefined;
  readonly queueBytesLeft?: number | undefined;
  /** Undefined: no server was struck, or too few messages went between those that were not. */
  readonly bystanderP99Ratio?: number | undefined;
  /** Undefined: it was not checked. */
  readonly presence?: PresenceVerdict | undefined;
}

export interface Distribution {
  readonly histogram: Histogram;
  readonly seconds: number;
}

/** Undefined when the run has no such data. */
export function distributionOf(stats: RunStats, selector: Selector): Distribution | undefined {
  assert(metricKinds[selector.name].distribution, `${selector.name} is a distribution`);
  const histogram = new Histogram();
  if (selector.name === "resync") histogram.merge(stats.resyncs.histogram);
  else
    for (const cell of stats.recordedCells(selector.workload, selector.phase))
      histogram.merge(histogramOf(cell, selector));
  return histogram.count === 0
    ? undefined
    : { histogram, seconds: stats.recordedSeconds(selector.phase, selector.workload) };
}

function histogramOf(cell: Cell, { name, route }: Selector): Histogram {
  switch (name) {
    case "wait":
    case "service":
    case "response":
      return cell.latency[name];
    case "delivery_first":
      return cell.delivery.first;
    case "delivery_last":
      return cell.delivery.last;
    default:
      return cell.delivery[route ?? "each"];
  }
}

/** Rates per second, shares as fractions, sizes in bytes; undefined when the run has no such data. */
export function valueOf(stats: RunStats, facts: ProcessFacts, selector: Selector): number | undefined {
  const cells = stats.recordedCells(selector.workload, selector.phase);
  const seconds = stats.recordedSeconds(selector.phase, selector.workload);
  const sum = (name: CounterName): number => cells.reduce((total, cell) => total + cell.counters.get(name), 0);
  const ended = sum("succeeded") + sum("failed");
  // What never ended has no time that could be late: it would be the one failure that nobody sees.
  const failed = sum("failed") + sum("abandoned");
  const started = ended + sum("abandoned");
  switch (selector.name) {
    case "rate":
      return seconds === 0 ? undefined : sum("succeeded") / seconds;
    case "rate_ratio":
      return ratioOf(stats, facts, selector);
    case "delivery_p99_ratio":
      return deliveryRatioOf(stats, selector);
    case "routing_cost":
      return routingCostMs(stats, selector);
    case "resync_attempts":
      return stats.resyncs.attemptsMean;
    case "delivery_rate":
      return seconds === 0 ? undefined : sum("pushes") / seconds;
    case "achieved_rate":
      return sum("asked") === 0 ? undefined : ended / sum("asked");
    case "errors":
      return failed;
    case "error_rate":
      return started === 0 ? undefined : failed / started;
    case "recovery":
      return facts.recoveryMs;
    case "presence_online":
      return longestMs(facts.presence?.online);
    case "presence_left":
      return longestMs(facts.presence?.left);
    case "presence_silent":
      return longestMs(facts.presence?.silent);
    case "bystander_delivery_p99_ratio":
      return facts.bystanderP99Ratio;
    case "server_memory_growth":
      return facts.memoryGrowthBytes;
    case "server_queue_entries_left":
      return facts.queueEntriesLeft;
    case "server_queue_bytes_left":
      return facts.queueBytesLeft;
    case "generator_cpu":
      return facts.generatorCpu;
    case "server_rss":
      return facts.serverRssBytes;
    case "server_rss_per_connection":
      return facts.serverRssPerConnectionBytes;
    default:
      return undefined;
  }
}

function longestMs(times: PresenceTimes | undefined): number | undefined {
  return times === undefined || times.count === 0 ? undefined : times.maxMs;
}

function ratioOf(stats: RunStats, facts: ProcessFacts, { workload, against }: Selector): number | undefined {
  const rateOf = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : valueOf(stats, facts, { name: "rate", workload: name });
  const [one, other] = [rateOf(workload), rateOf(against)];
  return one === undefined || other === undefined || other === 0 ? undefined : one / other;
}

function deliveryRatioOf(stats: RunStats, { workload, against }: Selector): number | undefined {
  const p99Of = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : deliveryUs(stats, { name: "delivery", workload: name }, 0.99);
  const [one, other] = [p99Of(workload), p99Of(against)];
  return one === undefined || other === undefined || other === 0 ? undefined : one / other;
}

/** Undefined unless messages went both ways. */
function routingCostMs(stats: RunStats, selector: Selector): number | undefined {
  const [cross, same] = (["cross", "same"] as const).map((route) =>
    deliveryUs(stats, { ...selector, name: "delivery", route }, 0.5),
  );
  return cross === undefined || same === undefined ? undefined : (cross - same) / 1_000;
}

function deliveryUs(stats: RunStats, selector: Selector, share: number): number | undefined {
  return distributionOf(stats, selector)?.histogram.percentile(share);
}
