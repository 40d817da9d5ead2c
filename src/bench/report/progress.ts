import { formatCount, formatRate, formatShare, formatSpanMs, formatUs } from "./format.ts";
import { createStyle } from "./style.ts";

const lineWidth = 100;

/** One second of a run in one line, at most 100 columns. */
export interface Progress {
  /** ms since t0; negative while preparing. */
  readonly atMs: number;
  readonly totalMs: number;
  readonly phase: string;
  /** Of the last second, all workloads together. */
  readonly startedPerSecond: number;
  readonly endedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Since the beginning. */
  readonly errors: number;
  /** Faults that could be told already; holes are only judged at the end. */
  readonly faults: number;
  /** Of the busiest worker. */
  readonly cpu: number;
}

export function progressLine(progress: Progress, colour: boolean): string {
  const style = createStyle(colour);
  const seconds = Math.max(0, Math.round(progress.atMs / 1_000));
  const at = `${formatSpanMs(seconds * 1_000)}/${formatSpanMs(progress.totalMs)}`.padEnd(10);
  const phase = progress.phase.slice(0, 8).padEnd(9);
  const rates = `${formatRate(progress.startedPerSecond)} → ${formatRate(progress.endedPerSecond)}`.padEnd(20);
  const pushes = `push ${formatRate(progress.deliveredPerSecond)}`.padEnd(14);
  const times = progress.endedPerSecond === 0 ? "" : `p50 ${formatUs(progress.p50Us)} p99 ${formatUs(progress.p99Us)}`;
  const latency = times.padEnd(24);
  const cpu = `cpu ${formatShare(progress.cpu)}`;
  const errors = progress.errors === 0 ? "" : ` err ${formatCount(progress.errors)}`;
  const faults = progress.faults === 0 ? "" : ` faults ${formatCount(progress.faults)}`;
  // What is wrong matters more than how many pushes there were.
  const room = lineWidth - [at, phase, rates, latency, cpu, errors, faults].join("").length >= pushes.length;
  return `${style.dim(at)}${phase}${rates}${room ? pushes : ""}${latency}${cpu}${style.bad(errors)}${style.bad(faults)}`;
}
