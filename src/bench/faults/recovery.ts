import type { RunStats } from "../stats/run-stats.ts";
import type { Interval } from "../stats/time-series.ts";
import type { FaultEvent, FaultOutcome } from "./fault-event.ts";

/**
 * Promise I12, the half that a run can see: full throughput again within 30 s of a fault's end. What is "full" is measured
 * in the same run, before its first fault: operations that succeeded and messages that reached sockets, each workload by
 * itself, by interval of the time series. It is back from the first of three intervals in a row in which each of these
 * flows is at its share of that; what chance takes from a small number is allowed for. What piled up during the fault and
 * comes at once is no obstacle: more than before is enough.
 */
export interface RecoveryOptions {
  readonly stats: RunStats;
  /** By workload: as fast as answers come, not at a rate; such a flow is never even. */
  readonly closed: readonly boolean[];
}

export const recoveryMaxMs = 30_000;
const intervalsInARow = 3;
const openShareMin = 0.9;
const closedShareMin = 0.75;
/** Standard deviations of an arrival process that chance may take away. */
const chance = 2.5;
/** A flow that is thinner than one in two intervals says nothing about an interval. */
const baselineMin = 0.5;
const calmIntervalsMin = 3;
/** Where so many are expected, to see none has a chance of one in twenty at most. */
const expectedMin = 3;

/** One thing that should go on: the number of each interval, and what it was while all was well. */
interface Flow {
  readonly counts: readonly number[];
  readonly baseline: number;
  readonly shareMin: number;
  /** Intervals in which the workload runs from beginning to end. */
  readonly runs: readonly boolean[];
}

export function judgeRecovery(events: readonly FaultEvent[], options: RecoveryOptions): FaultOutcome[] {
  const { stats } = options;
  const intervalMs = stats.workloads.length === 0 ? 1_000 : stats.series(0).intervalMs;
  const begins = events.flatMap(({ atMs }) => (atMs === undefined ? [] : [atMs]));
  const flows = flowsOf(options, Math.min(...begins), intervalMs);
  const loadMs = Math.min(stats.timeline.endMs, stats.stoppedMs);
  return events.map((event): FaultOutcome => {
    const { atMs, endMs } = event;
    if (atMs === undefined || endMs === undefined) {
      return { ...event, firstSuccessMs: undefined, recoveryMs: undefined, ok: false };
    }
    const endOfAllMs = endOfOverlapping(events, event);
    const nextMs = Math.min(loadMs, ...begins.filter((begin) => begin >= endOfAllMs));
    const span: Span = { endMs: endOfAllMs, untilMs: nextMs, intervalMs };
    const firstSuccessMs = firstAfter(span, (index) => flows.every((flow) => hasSuccess(flow, index)));
    // Nothing went steadily before the fault, so nothing can be as it was.
    const isFull = (index: number): boolean => flows.length > 0 && flows.every((flow) => isAsBefore(flow, index));
    const showsAll = (last: number): boolean => flows.every((flow) => showsItself(flow, last));
    const recoveryMs = firstAfter(span, isFull, { length: intervalsInARow, holds: showsAll });
    return { ...event, firstSuccessMs, recoveryMs, ok: recoveryMs !== undefined && recoveryMs <= recoveryMaxMs };
  });
}

/** The slowest recovery; undefined when there was a fault without one. */
export function slowestRecoveryMs(outcomes: readonly FaultOutcome[]): number | undefined {
  let slowestMs: number | undefined;
  for (const { recoveryMs } of outcomes) {
    if (recoveryMs === undefined) return undefined;
    slowestMs = Math.max(slowestMs ?? 0, recoveryMs);
  }
  return slowestMs;
}

/** Faults that the scenario lets overlap are over together: what the one breaks, the end of the other cannot show. */
function endOfOverlapping(events: readonly FaultEvent[], event: FaultEvent): number {
  let endMs = event.endMs as number;
  for (let grown = true; grown;) {
    const before = endMs;
    for (const other of events) {
      if (other.atMs === undefined || other.endMs === undefined) continue;
      if (other.atMs < endMs && other.endMs >= (event.atMs as number)) endMs = Math.max(endMs, other.endMs);
    }
    grown = endMs > before;
  }
  return endMs;
}

interface Span {
  readonly endMs: number;
  readonly untilMs: number;
  readonly intervalMs: number;
}

interface Row {
  readonly length: number;
  /** Of the row that ends with that interval. */
  readonly holds: (last: number) => boolean;
}

/** ms from the end to the first interval of a row that `holds`, as does each in it; all of them lie before `untilMs`. */
function firstAfter(
  { endMs, untilMs, intervalMs }: Span,
  holds: (index: number) => boolean,
  row: Row = { length: 1, holds: () => true },
): number | undefined {
  let held = 0;
  // The interval in which it ended has a part of the fault in it; if it is full all the same, so much the better.
  for (let index = Math.floor(endMs / intervalMs); (index + 1) * intervalMs <= untilMs; index++) {
    held = holds(index) ? held + 1 : 0;
    if (held >= row.length && row.holds(index)) return Math.max(0, (index + 1 - row.length) * intervalMs - endMs);
  }
  return undefined;
}

function flowsOf({ stats, closed }: RecoveryOptions, firstFaultMs: number, intervalMs: number): Flow[] {
  const calmUntil = Math.floor(firstFaultMs / intervalMs);
  return stats.workloads.flatMap(({ during }, index) => {
    const intervals = stats.series(index).intervals(stats.timeline.endMs);
    const windows = stats.timeline.windowsOf(during);
    const runs = intervals.map(({ atMs }) =>
      windows.some(({ startMs, endMs }) => atMs >= startMs && atMs + intervalMs <= endMs),
    );
    const shareMin = closed[index] === true ? closedShareMin : openShareMin;
    const counted: readonly ((interval: Interval) => number)[] = [
      ({ ended, failed }) => ended - failed,
      ({ delivered }) => delivered,
    ];
    return counted.flatMap((countOf) => {
      const counts = intervals.map(countOf);
      const baseline = meanOf(counts.filter((_, at) => at > 0 && at < calmUntil && runs[at] === true));
      return baseline === undefined || baseline < baselineMin ? [] : [{ counts, baseline, shareMin, runs }];
    });
  });
}

function meanOf(counts: readonly number[]): number | undefined {
  if (counts.length < calmIntervalsMin) return undefined;
  return counts.reduce((sum, count) => sum + count, 0) / counts.length;
}

function isAsBefore({ counts, baseline, shareMin, runs }: Flow, index: number): boolean {
  if (runs[index] !== true) return true;
  return (counts[index] ?? 0) >= shareMin * baseline - chance * Math.sqrt(baseline);
}

/** From a thin flow chance may take all that an interval is to have, but hardly ever all of a row. */
function showsItself({ counts, baseline, shareMin, runs }: Flow, last: number): boolean {
  const from = last + 1 - intervalsInARow;
  const expected = baseline * intervalsInARow;
  if (expected < expectedMin || runs.slice(from, last + 1).includes(false)) return true;
  const seen = counts.slice(from, last + 1).reduce((sum, count) => sum + count, 0);
  return seen >= Math.max(1, shareMin * expected - chance * Math.sqrt(expected));
}

/** A flow of less than one an interval is not expected in each. */
function hasSuccess({ counts, baseline, runs }: Flow, index: number): boolean {
  return runs[index] !== true || baseline < 2 || (counts[index] ?? 0) > 0;
}
