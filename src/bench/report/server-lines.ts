import { formatBytes, formatCount, formatShare, formatUs } from "./format.ts";
import { labelled } from "./labelled.ts";
import type { BenchResult, DistributionResult, ServerResult } from "./result.ts";
import type { Style } from "./style.ts";

/** What faults did to the servers and to those who were not struck; nothing in a run without them. */
export function serverLines({ faults = [], servers = [], bystanders }: BenchResult, style: Style): string[] {
  if (faults.length === 0) return [];
  return [
    ...(bystanders === undefined ? [] : labelled("bystanders", bystanderText(bystanders), style)),
    ...servers.flatMap((server, index) => labelled(index === 0 ? "memory" : "", growthText(server), style)),
  ];
}

function bystanderText({ before, during, p99Ratio }: NonNullable<BenchResult["bystanders"]>): string {
  const ratio = p99Ratio === undefined ? "too few to compare" : `p99 ${formatShare(p99Ratio)} of before`;
  const side = ({ count, p50Us, p99Us }: DistributionResult): string =>
    count === 0 ? "none" : `p50 ${formatUs(p50Us)}, p99 ${formatUs(p99Us)} (${formatCount(count)})`;
  return `delivery before ${side(before)}; until all were back ${side(during)}: ${ratio}`;
}

function growthText({ server, processes, memory, queues }: ServerResult): string {
  const times = processes > 1 ? ` (${processes} processes)` : "";
  const rss =
    memory === undefined
      ? "never read"
      : `${formatBytes(memory.beforeBytes)} before, peak ${formatBytes(memory.peakBytes)}, end ${
          memory.endBytes === undefined ? "not read" : formatBytes(memory.endBytes)
        }`;
  const level = (value: number, unit: string): string => (unit === "bytes" ? formatBytes(value) : formatCount(value));
  const peaks = queues.filter(({ peak }) => peak > 0).map(({ queue, unit, peak }) => `${queue} ${level(peak, unit)}`);
  const left = queues
    .filter(({ before, end }) => end !== undefined && end > before)
    .map(({ queue, unit, before, end = 0 }) => `${queue} ${level(end - before, unit)}`);
  const isUnread = queues.length === 0 || queues.some(({ end }) => end === undefined);
  const most = peaks.length === 0 ? "" : `; queues at most ${peaks.join(", ")}`;
  const rest = isUnread ? "what is left not read" : left.length === 0 ? "nothing left" : `left ${left.join(", ")}`;
  return `${server}${times} ${rss}${most}; ${rest}`;
}
