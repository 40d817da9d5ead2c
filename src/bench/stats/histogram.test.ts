import fc from "fast-check";
import { build } from "hdr-histogram-js";
import { describe, expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { coarseShape, fineShape, Histogram } from "./histogram.ts";

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 600_000_000 })), {
  minLength: 1,
  maxLength: 300,
});
const shares = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1];

function histogramOf(recorded: readonly number[], shape = fineShape): Histogram {
  const histogram = new Histogram(shape);
  for (const value of recorded) histogram.record(value);
  return histogram;
}

describe.each([
  ["fine", fineShape],
  ["coarse", coarseShape],
])("%s", (_, shape) => {
  test("percentiles agree with sorting, within the documented error", () => {
    fc.assert(
      fc.property(values, (recorded) => {
        const histogram = histogramOf(recorded, shape);
        const sorted = [...recorded].sort((one, other) => one - other);
        for (const share of shares) {
          const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
          expect(Math.abs(histogram.percentile(share) - exact)).toBeLessThanOrEqual(exact * 2 ** -shape.bits);
        }
      }),
    );
  });

  test("count, mean, min and max are exact", () => {
    fc.assert(
      fc.property(values, (recorded) => {
        const histogram = histogramOf(recorded, shape);
        expect(histogram.count).toBe(recorded.length);
        expect(histogram.max).toBe(Math.max(...recorded));
        expect(histogram.min).toBe(Math.min(...recorded));
        expect(histogram.mean).toBeCloseTo(recorded.reduce((sum, value) => sum + value, 0) / recorded.length, 6);
      }),
    );
  });

  test("merged equals recorded together, and survives serialising", () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const merged = histogramOf(one, shape);
        merged.merge(Histogram.deserialise(histogramOf(other, shape).serialise()));
        expect(merged.serialise()).toEqual(histogramOf([...one, ...other], shape).serialise());
      }),
    );
  });
});

test("agrees with hdr-histogram-js on a long-tailed load", () => {
  const random = createSeededRandom(42);
  const ours = new Histogram();
  const theirs = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  });
  for (let index = 0; index < 50_000; index++) {
    const value = Math.floor(300 / (1 - random.float()) ** 1.2) % 600_000_000;
    ours.record(value);
    theirs.recordValue(value);
  }
  for (const share of [0.5, 0.9, 0.99, 0.999, 0.9999]) {
    const expected = theirs.getValueAtPercentile(share * 100);
    expect(Math.abs(ours.percentile(share) - expected) / expected).toBeLessThan(0.002);
  }
  expect(ours.max).toBeCloseTo(theirs.maxValue, -Math.log10(theirs.maxValue / 1_000));
});

test("small values are exact", () => {
  const histogram = histogramOf(Array.from({ length: 2_000 }, (_, index) => index));
  expect(histogram.percentile(0.5)).toBe(999);
  expect(histogram.percentile(0.999)).toBe(1_997);
});

test("values beyond the range stay countable, and the maximum exact", () => {
  const histogram = histogramOf([1, 5_000_000_000]);
  expect(histogram.count).toBe(2);
  expect(histogram.max).toBe(5_000_000_000);
  expect(histogram.percentile(1)).toBe(5_000_000_000);
});

test("clock noise below zero counts as zero", () => expect(histogramOf([-3]).max).toBe(0));

test("an empty histogram answers zeroes", () => {
  const histogram = new Histogram();
  expect([histogram.count, histogram.mean, histogram.min, histogram.max, histogram.percentile(0.99)]).toEqual([
    0, 0, 0, 0, 0,
  ]);
  expect(Histogram.deserialise(histogram.serialise()).serialise()).toEqual(histogram.serialise());
});

test("a reset histogram is as new", () => {
  const histogram = histogramOf([5, 6, 7]);
  histogram.reset();
  expect(histogram.serialise()).toEqual(new Histogram().serialise());
});

test("memory is fixed and what the header says", () => {
  expect(new Histogram(fineShape).byteLength).toBeLessThan(88_000);
  expect(new Histogram(coarseShape).byteLength).toBeLessThan(3_600);
});

test("buckets come in order and add up", () => {
  const histogram = histogramOf([1, 1, 5_000, 70_000]);
  const buckets = [...histogram.buckets()];
  expect(buckets[0]).toEqual([1, 2]);
  expect(buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(4);
  expect(buckets.map(([lowest]) => lowest)).toEqual(
    buckets.map(([lowest]) => lowest).toSorted((one, other) => one - other),
  );
});

test("different shapes do not merge", () => {
  expect(() => new Histogram(fineShape).merge(new Histogram(coarseShape))).toThrow("one shape");
});
