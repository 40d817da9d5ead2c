import { isUnchecked, type PresenceTimes } from "../presence/presence-verdict.ts";
import { formatCount, formatShare, formatSpanMs, formatUs } from "./format.ts";
import { labelled } from "./labelled.ts";
import type { BenchResult } from "./result.ts";
import type { Style } from "./style.ts";

/** What became of promise I6: whether anybody alive looked offline, and how long changes took to be seen. */
export function presenceLines({ presence }: BenchResult, style: Style): string[] {
  if (presence === undefined) return [];
  const { users, watchers, checkedMs, excusedMs, online, left, silent, excused, falseOffline, cases, cutAtMs } =
    presence;
  if (isUnchecked(presence)) return labelled("presence", style.warn("nothing could be checked"), style);
  const changes = [timesText("seen online", online), timesText("left", left), timesText("silent", silent)];
  const total = checkedMs + excusedMs;
  const parts = [
    `${formatCount(users)} users seen by ${watchers === 1 ? "1 watcher" : `${watchers} watchers`}`,
    falseOffline === 0 ? "none falsely offline" : `falsely offline ${formatCount(falseOffline)}`,
    ...changes.filter((text) => text !== ""),
    `${formatSpanMs(checkedMs)} of looking judged${excusedMs === 0 ? "" : `, ${formatShare(excusedMs / total)} and ${formatCount(excused)} changes excused`}`,
    ...(cutAtMs === undefined ? [] : [`noted until ${formatSpanMs(cutAtMs)} only`]),
  ];
  const late = cases.filter(({ kind }) => kind !== "false_offline").slice(0, 3);
  return [
    ...labelled("presence", parts.join("; "), style),
    ...late.flatMap(({ kind, detail }) => labelled("", `${kind}: ${detail}`, style)),
  ];
}

function timesText(what: string, { count, p50Ms, maxMs }: PresenceTimes): string {
  if (count === 0) return "";
  return `${what} ${formatCount(count)} (p50 ${formatUs(p50Ms * 1_000)}, max ${formatUs(maxMs * 1_000)})`;
}
