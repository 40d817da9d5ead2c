import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byRecency } from "../../core/reading/sync-token.ts";
import { listPage } from "./list-cursor.ts";

const idOf = (number: number): string => `0199a0c0-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
const listOf = (times: readonly number[]) =>
  times.map((lastAt, at) => ({ lastAt, conversationId: idOf(at) })).toSorted(byRecency);

describe("a walk over the conversation list", () => {
  test("that stands still shows each row once, in order, whatever the size of the pages", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (times, rowsMax) => {
        const rows = listOf(times);
        const walked: (typeof rows)[number][] = [];
        let cursor: string | undefined;
        do {
          const page = listPage(rows, cursor, rowsMax);
          walked.push(...page.rows);
          cursor = page.next;
        } while (cursor !== undefined);
        expect(walked).toEqual(rows);
      }),
    );
  });

  test("that moves meanwhile leaves no row out", () => {
    const moves = fc.array(fc.nat(39), { maxLength: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(moves, { maxLength: 60 }), (count, script) => {
        let rows = listOf(Array.from({ length: count }, (_, at) => at));
        let now = 1_000;
        const seen = new Set<string>();
        let cursor: string | undefined;
        for (let step = 0; ; step++) {
          const page = listPage(rows, cursor, 7);
          for (const row of page.rows) seen.add(row.conversationId);
          if (page.next === undefined) break;
          cursor = page.next;
          for (const moved of script[step] ?? []) {
            const id = idOf(moved % count);
            rows = rows.map((row) => (row.conversationId === id ? { ...row, lastAt: ++now } : row)).toSorted(byRecency);
          }
        }
        expect(seen.size).toBe(count);
      }),
    );
  });

  test("takes no cursor that it did not give", () => {
    const id = idOf(1);
    for (const wrong of ["", "x", id, `1.${id}`, `1.2.${id}.3`, `-1.2.${id}`, `1.5.2.${id}`, `1.x.${id}`, "1.2.x"]) {
      expect(() => listPage([], wrong, 10)).toThrow("not the `next` of an earlier page");
    }
    expect(listPage([], `1.2.${id}`, 10)).toEqual({ rows: [], next: undefined });
  });
});
