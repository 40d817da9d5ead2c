import { describe, expect, test } from "vitest";
import {
  compare,
  parseComparison,
  parseCount,
  parseDurationMs,
  parseRange,
  parseRatePerSecond,
  parseShare,
  parseSizeBytes,
  UnitError,
} from "./units.ts";

function problemOf(run: () => unknown): { message: string; suggestion: string | undefined } {
  try {
    run();
  } catch (error) {
    if (error instanceof UnitError) return { message: error.message, suggestion: error.suggestion };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("durations", () => {
  test.each([
    ["30s", 30_000],
    ["200ms", 200],
    ["250us", 0.25],
    ["5m", 300_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["0", 0],
    ["2 s", 2_000],
  ])("%s", (text, expected) => expect(parseDurationMs(text)).toBeCloseTo(expected, 9));

  test("a bare number is refused, with the likely meaning", () => {
    expect(problemOf(() => parseDurationMs(30))).toEqual({
      message: "duration 30 has no unit (us, ms, s, m, h, d)",
      suggestion: "30s",
    });
  });

  test("an unknown unit is named, with the known one", () => {
    expect(problemOf(() => parseDurationMs("30sec"))).toEqual({
      message: 'unknown duration unit "sec" (us, ms, s, m, h, d)',
      suggestion: "30s",
    });
    expect(problemOf(() => parseDurationMs("3 parsecs")).suggestion).toBeUndefined();
  });

  test.each(["", "s", "-3s", "3s!", "3s 4", "abc 3s"])("%j is not a duration", (text) => {
    expect(() => parseDurationMs(text)).toThrow(UnitError);
  });
});

describe("counts", () => {
  test.each([
    ["1M", 1_000_000],
    ["10k", 10_000],
    ["1.5k", 1_500],
    [42, 42],
    ["0", 0],
    ["1.1k", 1_100],
  ])("%s", (text, expected) => expect(parseCount(text)).toBe(expected));

  test("mistyped units suggest the right ones", () => {
    expect(problemOf(() => parseCount("10K")).suggestion).toBe("10k");
    expect(problemOf(() => parseCount("10m")).suggestion).toBe("10M");
  });

  test.each(["1.5", "-1", "many", "1e400"])("%j is refused", (text) =>
    expect(() => parseCount(text)).toThrow(UnitError),
  );
});

describe("rates", () => {
  test.each([
    ["2000/s", 2_000],
    ["1.2k/s", 1_200],
    ["60/m", 1],
    ["36k/h", 10],
  ])("%s", (text, expected) => expect(parseRatePerSecond(text)).toBeCloseTo(expected, 9));

  test("a missing or unknown period is named", () => {
    expect(problemOf(() => parseRatePerSecond("200"))).toEqual({
      message: "rate 200 has no period (/s, /m, /h, /d)",
      suggestion: "200/s",
    });
    expect(problemOf(() => parseRatePerSecond("200/sec")).suggestion).toBe("200/s");
    expect(() => parseRatePerSecond("0/s")).toThrow("above 0");
  });
});

test("shares are percentages or fractions", () => {
  expect(parseShare("85%")).toBeCloseTo(0.85);
  expect(parseShare(0.5)).toBe(0.5);
  expect(parseShare("120%")).toBeCloseTo(1.2);
  expect(problemOf(() => parseShare(85))).toEqual({ message: "percentage 85 has no sign", suggestion: "85%" });
  expect(() => parseShare("lots")).toThrow(UnitError);
});

test("sizes carry decimal or binary units", () => {
  expect(parseSizeBytes("200B")).toBe(200);
  expect(parseSizeBytes("64KiB")).toBe(65_536);
  expect(parseSizeBytes("1.5MB")).toBe(1_500_000);
  expect(problemOf(() => parseSizeBytes("200")).suggestion).toBe("200B");
  expect(problemOf(() => parseSizeBytes("64kib")).suggestion).toBe("64KiB");
  expect(problemOf(() => parseSizeBytes("64K")).suggestion).toBe("64kB");
});

describe("comparisons", () => {
  test.each([
    ["< 50ms", 49.9, true],
    ["< 50ms", 50, false],
    ["<= 50ms", 50, true],
    ["> 1s", 1_001, true],
    [">= 1s", 999, false],
    ["== 0", 0, true],
  ])("%s against %d", (text, actual, expected) =>
    expect(compare(actual, parseComparison(text, parseDurationMs))).toBe(expected),
  );

  test("operators that other languages use are corrected", () => {
    expect(problemOf(() => parseComparison("=< 5ms", parseDurationMs)).suggestion).toBe("<= 5ms");
    expect(problemOf(() => parseComparison("~ 5ms", parseDurationMs)).suggestion).toBeUndefined();
  });

  test("an operator is required unless one is implied", () => {
    expect(problemOf(() => parseComparison("50ms", parseDurationMs)).suggestion).toBe("< 50ms");
    expect(parseComparison("99%", parseShare, ">=")).toEqual({ operator: ">=", value: 0.99 });
    expect(() => parseComparison("<", parseDurationMs)).toThrow("no value");
  });
});

test("ranges are inclusive and the right way up", () => {
  expect(parseRange("45s..47s", parseDurationMs)).toEqual({ low: 45_000, high: 47_000 });
  expect(problemOf(() => parseRange("47s..45s", parseDurationMs)).suggestion).toBe("45s..47s");
  expect(() => parseRange("45s", parseDurationMs)).toThrow("low..high");
});
