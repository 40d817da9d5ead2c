import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SeqRun } from "../../protocol/fields.ts";
import { intersectRuns, pushSeq, readableRuns, runsLength, subtractRuns } from "./seq-runs.ts";

const top = 30;
const seqs = fc.array(fc.integer({ min: 1, max: top }), { maxLength: top }).map((list) => new Set(list));

function runsOf(set: ReadonlySet<number>): SeqRun[] {
  const runs: [number, number][] = [];
  for (let seq = 1; seq <= top; seq++) if (set.has(seq)) pushSeq(runs, seq);
  return runs;
}

function seqsOf(runs: readonly SeqRun[]): number[] {
  return runs.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

describe("runs behave as the sets that they stand for", () => {
  const run = fc
    .tuple(fc.integer({ min: 1, max: top }), fc.integer({ min: 1, max: top }))
    .map(([one, other]): SeqRun => [Math.min(one, other), Math.max(one, other)]);

  test("subtract and intersect split a run in two disjoint parts", () => {
    fc.assert(
      fc.property(run, seqs, (whole, set) => {
        const inside = seqsOf(intersectRuns(whole, runsOf(set)));
        const outside = seqsOf(subtractRuns(whole, runsOf(set)));
        expect(inside).toEqual(seqsOf([whole]).filter((seq) => set.has(seq)));
        expect(outside).toEqual(seqsOf([whole]).filter((seq) => !set.has(seq)));
        expect(runsLength(intersectRuns(whole, runsOf(set)))).toBe(inside.length);
      }),
    );
  });
});

test("readable runs leave out joins that are not in the log yet and memberships without a row", () => {
  const intervals = [
    { joinedSeq: 0, leftSeq: 0 },
    { joinedSeq: 3, leftSeq: 6 },
    { joinedSeq: 9, leftSeq: 9 },
    { joinedSeq: 12, leftSeq: 0 },
  ];
  expect(readableRuns(intervals)).toEqual([
    [3, 5],
    [12, Number.MAX_SAFE_INTEGER],
  ]);
});
