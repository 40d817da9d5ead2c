import type { SeqRun } from "../../protocol/fields.ts";
import type { MemberInterval } from "../model.ts";

/** Arithmetic of inclusive runs of seqs. Lists of runs are ascending and disjoint; from > to is no run. */

/** The parts of `run` that `holes` does not cover. */
export function subtractRuns(run: SeqRun, holes: readonly SeqRun[]): SeqRun[] {
  const left: SeqRun[] = [];
  let [from] = run;
  const to = run[1];
  for (const [holeFrom, holeTo] of holes) {
    if (holeTo < from || holeFrom > to) continue;
    if (holeFrom > from) left.push([from, holeFrom - 1]);
    from = holeTo + 1;
  }
  if (from <= to) left.push([from, to]);
  return left;
}

/** The parts of `run` that `runs` covers. */
export function intersectRuns(run: SeqRun, runs: readonly SeqRun[]): SeqRun[] {
  const common: SeqRun[] = [];
  for (const [from, to] of runs) {
    const start = Math.max(from, run[0]);
    const end = Math.min(to, run[1]);
    if (start <= end) common.push([start, end]);
  }
  return common;
}

export function runsLength(runs: readonly SeqRun[]): number {
  return runs.reduce((total, [from, to]) => total + to - from + 1, 0);
}

/** Adds `seq` to the end of an ascending list of runs. */
export function pushSeq(runs: [number, number][], seq: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last[1] === seq - 1) last[1] = seq;
  else runs.push([seq, seq]);
}

/** What a member may read, ascending. A join that is not in the log yet opens nothing. */
export function readableRuns(intervals: readonly Pick<MemberInterval, "joinedSeq" | "leftSeq">[]): SeqRun[] {
  return intervals
    .filter((interval) => interval.joinedSeq > 0 && (interval.leftSeq === 0 || interval.leftSeq > interval.joinedSeq))
    .map(({ joinedSeq, leftSeq }): SeqRun => [joinedSeq, leftSeq === 0 ? Number.MAX_SAFE_INTEGER : leftSeq - 1])
    .sort((one, other) => one[0] - other[0]);
}
