import type { PageRow, SeqRun } from "../../protocol/fields.ts";

/**
 * Sets of seqs as ascending, disjoint, never touching runs. Small (runsPerConversationMax), so plain arrays.
 */

/** `runs` with [from, to] added; what touches or overlaps becomes one run. */
export function addRun(runs: readonly SeqRun[], from: number, to: number): SeqRun[] {
  const result: SeqRun[] = [];
  let low = from;
  let high = to;
  let index = 0;
  for (; index < runs.length; index++) {
    const run = runs[index] as SeqRun;
    if (run[1] + 1 < low) result.push(run);
    else if (run[0] > high + 1) break;
    else {
      low = Math.min(low, run[0]);
      high = Math.max(high, run[1]);
    }
  }
  result.push([low, high]);
  for (; index < runs.length; index++) result.push(runs[index] as SeqRun);
  return result;
}

export function hasSeq(runs: readonly SeqRun[], seq: number): boolean {
  for (let index = runs.length - 1; index >= 0; index--) {
    const run = runs[index] as SeqRun;
    if (seq >= run[0]) return seq <= run[1];
  }
  return false;
}

/** What a page says about its rows: `messages` ascending; together with the runs they should cover [from, to]. */
export interface PageBody {
  readonly from: number;
  readonly to: number;
  readonly messages: readonly PageRow[];
  readonly unreadable: readonly SeqRun[];
  readonly gone: readonly SeqRun[];
}

export interface Coverage {
  /** The page covers [from, to] without a hole; from > to = nothing. */
  readonly to: number;
  /** Highest seq in it of which no row was shown (unreadable, gone), 0 = none: such seqs prove nothing about a message_id. */
  readonly blindTo: number;
}

/** Walks a page and believes only what it shows: a page with a hole counts up to the hole. */
export function coverageOf(page: PageBody): Coverage {
  let next = page.from;
  let blindTo = 0;
  let index = 0;
  const { messages, to } = page;
  while (next <= to) {
    const row = messages[index];
    if (row !== undefined && row.seq <= next) {
      if (row.seq === next) next++;
      index++;
      continue;
    }
    const end = Math.max(endOfRun(page.unreadable, next), endOfRun(page.gone, next));
    if (end === 0) break;
    next = Math.min(end, to) + 1;
    blindTo = next - 1;
  }
  return { to: next - 1, blindTo };
}

/** End of the run that holds `seq`, or 0. */
function endOfRun(runs: readonly SeqRun[], seq: number): number {
  for (const run of runs) {
    if (seq >= run[0] && seq <= run[1]) return run[1];
  }
  return 0;
}
