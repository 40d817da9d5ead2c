import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { createFailureLog, kindOf, type ReportFailure } from "./failure-log.ts";
import type { LogFields } from "./logger.ts";
import { StoreError } from "./store-error.ts";

let clock: ManualClock;
let lines: LogFields[];
let report: ReportFailure;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  report = createFailureLog(clock, (fields) => void lines.push(fields));
});

const fail = (kind: string, user: number): void => report(kind, () => ({ user }));

describe("failures in the log", () => {
  test("the first is written at once with its detail, those that follow as one line a second with their number", () => {
    for (let user = 1; user <= 5_000; user++) fail("store_unavailable", user);
    expect(lines).toEqual([{ user: 1, failures: 1 }]);
    clock.advance(999);
    expect(lines).toHaveLength(1);
    clock.advance(1);
    expect(lines[1]).toEqual({ user: 5_000, failures: 4_999 });
    for (let user = 1; user <= 10; user++) fail("store_unavailable", user);
    expect(lines).toHaveLength(2);
    clock.advance(1_000);
    expect(lines.slice(2)).toEqual([{ user: 10, failures: 10 }]);
  });

  test("after a quiet second the next is a first one again", () => {
    fail("internal", 1);
    clock.advance(1_000);
    fail("internal", 2);
    expect(lines).toEqual([
      { user: 1, failures: 1 },
      { user: 2, failures: 1 },
    ]);
    clock.advance(10_000);
    expect(lines).toHaveLength(2);
  });

  test("a failure of one kind does not hide the first of another", () => {
    for (let time = 0; time < 3; time++) for (const kind of ["store_unavailable", "internal"]) fail(kind, time);
    expect(lines).toEqual([
      { user: 0, failures: 1 },
      { user: 0, failures: 1 },
    ]);
    clock.advance(1_000);
    expect(lines.slice(2)).toEqual([
      { user: 2, failures: 2 },
      { user: 2, failures: 2 },
    ]);
  });

  test("however many kinds there are, a second has at most a line for each of 65", () => {
    for (let kind = 0; kind < 1_000; kind++) fail(`kind ${kind}`, kind);
    expect(lines).toHaveLength(65);
    lines.length = 0;
    clock.advance(1_000);
    expect(lines).toEqual([{ user: 999, failures: 1_000 - 65 }]);
  });

  test("no failure is left out of the sum of the lines", () => {
    for (let time = 0; time < 500; time++) {
      fail("internal", time);
      clock.advance(time % 37);
    }
    clock.advance(2_000);
    expect(lines.reduce((sum, line) => sum + Number(line["failures"]), 0)).toBe(500);
    expect(lines.length).toBeLessThan(15);
  });

  test("what is wrong with which store is told apart, and so are classes of errors", () => {
    const full = new StoreError("postgres", "full", "", "");
    expect(kindOf(full)).toBe("postgres full");
    expect(kindOf(new Error("refused", { cause: full }))).toBe("postgres full");
    expect(kindOf(new StoreError("redis", "unreachable", "", ""))).toBe("redis unreachable");
    expect([kindOf(new RangeError("n")), kindOf("text"), kindOf(undefined)]).toEqual([
      "RangeError",
      "string",
      "undefined",
    ]);
  });
});
