import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pageOf } from "../../../test/helpers/scripted-machine.ts";
import type { SeqRun } from "../../protocol/fields.ts";
import { addRun, coverageOf, hasSeq } from "./runs.ts";

const run = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 8 }))
  .map(([from, more]): SeqRun => [from, from + more]);

describe("sets of seqs", () => {
  test("hold exactly what was added, as ascending runs that never touch", () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), (added) => {
        let runs: readonly SeqRun[] = [];
        const expected = new Set<number>();
        for (const [from, to] of added) {
          runs = addRun(runs, from, to);
          for (let seq = from; seq <= to; seq++) expected.add(seq);
        }
        for (let seq = 0; seq <= 70; seq++) expect(hasSeq(runs, seq)).toBe(expected.has(seq));
        for (let index = 1; index < runs.length; index++) {
          expect((runs[index] as SeqRun)[0]).toBeGreaterThan((runs[index - 1] as SeqRun)[1] + 1);
        }
      }),
    );
  });
});

describe("what a page covers", () => {
  test("all of it, when rows and runs leave no hole", () => {
    const page = {
      ...pageOf(4, 6),
      to: 10,
      unreadable: [[7, 8]] as SeqRun[],
      gone: [
        [1, 3],
        [9, 12],
      ] as SeqRun[],
    };
    expect(coverageOf(page)).toEqual({ to: 10, blindTo: 10 });
  });

  test("up to the first hole, whatever it claims", () => {
    expect(coverageOf({ ...pageOf(4, 6), to: 10 })).toEqual({ to: 6, blindTo: 0 });
    expect(coverageOf({ ...pageOf(5, 6), from: 4 })).toEqual({ to: 3, blindTo: 0 });
  });

  test("nothing, when it is empty", () => {
    expect(coverageOf({ from: 5, to: 4, messages: [], unreadable: [], gone: [] }).to).toBe(4);
  });

  test("rows that come doubled or out of its bounds do not shift it", () => {
    const { messages } = pageOf(3, 7);
    const page = { ...pageOf(4, 6), messages: [...messages.slice(0, 2), ...messages.slice(1)] };
    expect(coverageOf(page)).toEqual({ to: 6, blindTo: 0 });
  });
});
