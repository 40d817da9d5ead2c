import { didYouMean } from "../base/did-you-mean.ts";
import {
  type Comparison,
  parseComparison,
  parseCount,
  parseDurationMs,
  parseRatePerSecond,
  parseShare,
  parseSizeBytes,
  UnitError,
  type Written,
} from "./units.ts";

/**
 * What a run measures, by the names that thresholds and reports use. Distributions answer statistics (p50 … max, mean,
 * count, rate); plain values answer `min` and `max` as bounds.
 */
export type MetricUnit = "duration" | "share" | "rate" | "count" | "size";

export interface MetricKind {
  readonly distribution: boolean;
  readonly unit: MetricUnit;
  /** Labels that may narrow it. */
  readonly labels: readonly Label[];
  readonly means: string;
}

export type Label = "workload" | "against" | "phase" | "route";

/** Of a delivery: to a socket of the server that the sender sat at, or of another one. */
export const routes = ["same", "cross"] as const;
export type Route = (typeof routes)[number];

const both = ["workload", "phase"] as const;
const distribution = (means: string): MetricKind => ({ distribution: true, unit: "duration", labels: both, means });

export const metricKinds = {
  wait: distribution("intended start → start"),
  service: distribution("start → end"),
  response: distribution("intended start → end"),
  /** By route where there are several servers. */
  delivery: { ...distribution("sender's intended start → each recipient's socket"), labels: [...both, "route"] },
  delivery_first: distribution("sender's intended start → the first recipient's socket on each worker"),
  delivery_last: distribution("sender's intended start → the last recipient's socket on each worker"),
  rate: { distribution: false, unit: "rate", labels: both, means: "operations that succeeded per second" },
  rate_ratio: {
    distribution: false,
    unit: "share",
    labels: ["workload", "against"],
    means: "rate of one workload, of that of another",
  },
  delivery_p99_ratio: {
    distribution: false,
    unit: "share",
    labels: ["workload", "against"],
    means: "p99 of the deliveries of one workload, of that of another",
  },
  routing_cost: {
    distribution: false,
    unit: "duration",
    labels: both,
    means: "p50 of deliveries to sockets of other servers than the sender's, less that to sockets of the same",
  },
  resync: {
    distribution: true,
    unit: "duration",
    labels: [],
    means: "a connection lost against the device's will → connected again and in sync",
  },
  resync_attempts: {
    distribution: false,
    unit: "count",
    labels: [],
    means: "attempts to connect for each connection that was lost, on average",
  },
  achieved_rate: {
    distribution: false,
    unit: "share",
    labels: both,
    means: "operations that ended, of those asked for",
  },
  errors: { distribution: false, unit: "count", labels: both, means: "operations that failed or never ended" },
  error_rate: {
    distribution: false,
    unit: "share",
    labels: both,
    means: "operations that failed or never ended, of all that were started",
  },
  delivery_rate: {
    distribution: false,
    unit: "rate",
    labels: both,
    means: "messages that reached a socket per second",
  },
  recovery: {
    distribution: false,
    unit: "duration",
    labels: [],
    means: "from the end of a fault until everything goes as before, the longest of all faults",
  },
  presence_online: {
    distribution: false,
    unit: "duration",
    labels: [],
    means: "from a connection until whoever watches its user sees that user online, the longest",
  },
  presence_left: {
    distribution: false,
    unit: "duration",
    labels: [],
    means: "from the last connection's close by its device until its user is seen offline, the longest",
  },
  presence_silent: {
    distribution: false,
    unit: "duration",
    labels: [],
    means: "from the last heartbeat of somebody who fell silent until that user is seen offline, the longest",
  },
  bystander_delivery_p99_ratio: {
    distribution: false,
    unit: "share",
    labels: [],
    means:
      "p99 of the deliveries between devices at servers that no fault struck, from the first fault of a server until everybody is back in sync, of that before",
  },
  server_memory_growth: {
    distribution: false,
    unit: "size",
    labels: [],
    means: "resident memory of a server at its peak above that before the first fault, of the one that grew most",
  },
  server_queue_entries_left: {
    distribution: false,
    unit: "count",
    labels: [],
    means: "what is left in a server's queue after the drain above the lowest level before the first fault, the most",
  },
  server_queue_bytes_left: {
    distribution: false,
    unit: "size",
    labels: [],
    means: "the same for queues that are measured in bytes",
  },
  generator_cpu: { distribution: false, unit: "share", labels: [], means: "CPU of the busiest worker, of one core" },
  server_rss: { distribution: false, unit: "size", labels: [], means: "resident memory of the server at its peak" },
  server_rss_per_connection: {
    distribution: false,
    unit: "size",
    labels: [],
    means: "resident memory of the server with all connections, less that with a tenth of them, for each of the others",
  },
} as const satisfies Record<string, MetricKind>;

export type MetricName = keyof typeof metricKinds;
export const metricNames = Object.keys(metricKinds) as MetricName[];

export interface Selector {
  readonly name: MetricName;
  readonly workload?: string;
  /** With what `workload` is compared; rate_ratio only. */
  readonly against?: string;
  readonly phase?: string;
  readonly route?: Route;
}

/** `response`, `response{workload:beat}`, `response{workload:beat,phase:steady}`. */
export function parseSelector(text: string): Selector {
  const match = /^\s*([A-Za-z0-9_.]+)\s*(?:\{([^{}]*)\})?\s*$/.exec(text);
  if (match === null) throw new UnitError(`not a metric: "${text}" (write response{workload:name})`);
  const name = match[1] as string;
  if (!isMetricName(name))
    throw new UnitError(`unknown metric "${name}" (${metricNames.join(", ")})`, didYouMean(name, metricNames));
  const labels: Partial<Record<Label, string>> = {};
  const allowed: readonly Label[] = metricKinds[name].labels;
  for (const part of (match[2] ?? "").split(",").map((label) => label.trim())) {
    if (part === "") continue;
    const colon = part.indexOf(":");
    const key = (colon < 0 ? part : part.slice(0, colon)).trim();
    if (!isLabel(key) || !allowed.includes(key)) {
      const known = allowed.length === 0 ? `${name} has no labels` : allowed.join(", ");
      throw new UnitError(`unknown label "${key}" (${known})`, didYouMean(key, allowed));
    }
    if (colon < 0) throw new UnitError(`label ${key} has no value (write ${key}:name)`);
    labels[key] = part.slice(colon + 1).trim();
  }
  const { route, ...others } = labels;
  if (route !== undefined && !isRoute(route)) {
    throw new UnitError(`unknown route "${route}" (${routes.join(", ")})`, didYouMean(route, routes));
  }
  const compares = name === "rate_ratio" || name === "delivery_p99_ratio";
  if (compares && (labels.workload === undefined || labels.against === undefined)) {
    throw new UnitError(`${name} compares two workloads (write ${name}{workload:ours,against:bare})`);
  }
  return { name, ...others, ...(route === undefined ? {} : { route }) };
}

export function formatSelector(selector: Selector): string {
  const labels = [
    selector.workload === undefined ? "" : `workload:${selector.workload}`,
    selector.against === undefined ? "" : `against:${selector.against}`,
    selector.phase === undefined ? "" : `phase:${selector.phase}`,
    selector.route === undefined ? "" : `route:${selector.route}`,
  ].filter((label) => label !== "");
  return labels.length === 0 ? selector.name : `${selector.name}{${labels.join(",")}}`;
}

function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metricKinds, name);
}

function isLabel(key: string): key is Label {
  return key === "workload" || key === "against" || key === "phase" || key === "route";
}

function isRoute(text: string): text is Route {
  return (routes as readonly string[]).includes(text);
}

export const distributionStatistics = ["p50", "p90", "p95", "p99", "p999", "max", "mean", "count", "rate"] as const;
export const boundStatistics = ["min", "max"] as const;
export type Statistic = (typeof distributionStatistics)[number] | (typeof boundStatistics)[number];
export const statistics = [...new Set([...distributionStatistics, ...boundStatistics])] as readonly Statistic[];

/** Durations in ms, shares as fractions, rates per second, sizes in bytes. */
export interface Condition {
  readonly statistic: Statistic;
  readonly comparison: Comparison;
  /** As the author wrote it. */
  readonly text: string;
}

export function parseCondition(name: MetricName, statistic: Statistic, written: Written): Condition {
  const kind: MetricKind = metricKinds[name];
  const known: readonly Statistic[] = kind.distribution ? distributionStatistics : boundStatistics;
  if (!known.includes(statistic)) throw new UnitError(`${name} has no "${statistic}" (${known.join(", ")})`);
  const unit = !kind.distribution ? kind.unit : statistic === "count" || statistic === "rate" ? statistic : kind.unit;
  const bare = kind.distribution ? undefined : statistic === "min" ? ">=" : "<=";
  return {
    statistic,
    comparison: parseComparison(written, (text) => parseOfUnit[unit](text), bare),
    text: String(written),
  };
}

const parseOfUnit: Readonly<Record<MetricUnit, (text: string) => number>> = {
  duration: parseDurationMs,
  share: parseShare,
  rate: parseRatePerSecond,
  count: parseCount,
  size: parseSizeBytes,
};
