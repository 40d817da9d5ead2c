import { describe, expect, test } from "vitest";
import { coprimeNear, createSelection, type SelectionSpec } from "./selection.ts";

function countsOf(spec: SelectionSpec, items: number, draws: number): number[] {
  const select = createSelection(spec, items, 42);
  const counts = Array.from({ length: items }, () => 0);
  for (let n = 0; n < draws; n++) counts[select(n)]!++;
  // An index out of range would have added an element or a property that is not a number.
  expect(Object.keys(counts)).toHaveLength(items);
  return counts;
}

const specs: SelectionSpec[] = [
  { kind: "uniform" },
  { kind: "latest" },
  { kind: "zipf", exponent: 1.1 },
  { kind: "zipf", exponent: 1 },
  { kind: "hotspot", items: 0.01, share: 0.9 },
];

test.each(specs)("%j answers the same for the same n, and copes with one item", (spec) => {
  const one = createSelection(spec, 1_000, 7);
  const two = createSelection(spec, 1_000, 7);
  for (let n = 0; n < 100; n++) expect(one(n)).toBe(two(n));
  expect(createSelection(spec, 1, 7)(5)).toBe(0);
});

test("uniform picks every item about as often", () => {
  const counts = countsOf({ kind: "uniform" }, 100, 100_000);
  expect(Math.min(...counts)).toBeGreaterThan(800);
  expect(Math.max(...counts)).toBeLessThan(1_200);
});

describe("zipf", () => {
  test.each([0.5, 1, 1.1, 2])("exponent %d gives each rank its weight", (exponent) => {
    const items = 50;
    const draws = 200_000;
    const counts = countsOf({ kind: "zipf", exponent }, items, draws).sort((one, other) => other - one);
    const weights = Array.from({ length: items }, (_, rank) => (rank + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const rank of [0, 1, 2, 5, 10]) {
      const expected = (draws * (weights[rank] as number)) / total;
      expect(Math.abs((counts[rank] as number) - expected)).toBeLessThan(5 * Math.sqrt(expected) + 50);
    }
  });

  test("hot items are scattered over the workers", () => {
    const counts = countsOf({ kind: "zipf", exponent: 1.2 }, 1_000, 20_000);
    const hottest = counts
      .map((count, index) => ({ count, index }))
      .sort((one, other) => other.count - one.count)
      .slice(0, 40);
    const perWorker = [0, 0, 0, 0];
    for (const { index } of hottest) perWorker[index % 4]!++;
    expect(Math.min(...perWorker)).toBeGreaterThan(3);
  });
});

test("hotspot sends its share to its items", () => {
  const counts = countsOf({ kind: "hotspot", items: 0.1, share: 0.9 }, 100, 100_000).sort((one, other) => other - one);
  const hot = counts.slice(0, 10).reduce((sum, count) => sum + count, 0);
  expect(hot / 100_000).toBeCloseTo(0.9, 1);
});

test("latest prefers the highest index", () => {
  const counts = countsOf({ kind: "latest" }, 100, 10_000);
  expect(counts[99]).toBe(Math.max(...counts));
});

test("a coprime stride visits every item", () => {
  for (const items of [1, 2, 10, 97, 1_000, 1_024]) {
    const stride = coprimeNear(items, 0.618);
    expect(new Set(Array.from({ length: items }, (_, index) => (index * stride) % items)).size).toBe(items);
  }
});
