import { formatCount, formatSpanMs } from "./format.ts";
import { labelled } from "./labelled.ts";
import type { BenchResult, FaultResult } from "./result.ts";
import type { Style } from "./style.ts";

/** What was done to the run, and how it came out of it: a line a fault. */
export function faultLines({ faults = [], refusals = {} }: BenchResult, style: Style): string[] {
  if (faults.length === 0) return [];
  const lines = faults.flatMap((fault, index) => {
    const text = `${timeText(fault)}: ${outcomeText(fault)}`;
    const [first = "", ...rest] = labelled(index === 0 ? "faults" : "", text, style);
    return fault.ok ? [first, ...rest] : [first, ...rest].map((line) => style.bad(line));
  });
  const codes = Object.entries(refusals).map(([code, count]) => `${code} ${formatCount(count)}`);
  return [
    ...lines,
    ...(codes.length === 0 ? [] : labelled("refused", `${codes.join(", ")} (devices try again)`, style)),
  ];
}

function timeText({ do: kind, which, plannedAtMs, forMs, atMs, endMs }: FaultResult): string {
  const at = `${formatSpanMs(atMs ?? plannedAtMs)} ${kind} ${which}`;
  if (forMs === 0) return at;
  const lastedMs = atMs === undefined || endMs === undefined ? forMs : endMs - atMs;
  const back = lastedMs - forMs < 500 ? "" : `, back after ${formatSpanMs(lastedMs)}`;
  return `${at} for ${formatSpanMs(forMs)}${back}`;
}

function outcomeText({ atMs, recoveryMs }: FaultResult): string {
  if (atMs === undefined) return "not done, the load was over";
  if (recoveryMs === undefined) return "not seen to recover before the next fault or the end";
  return recoveryMs < 500 ? "recovered at once" : `recovered after ${formatSpanMs(recoveryMs)}`;
}
