import { expect, test } from "vitest";
import { createSizes, type SizeSpec } from "./sizes.ts";

const weighted: SizeSpec = {
  kind: "weighted",
  choices: [
    { bytes: 200, weight: 80 },
    { bytes: 2_000, weight: 20 },
  ],
};
const lognormal: SizeSpec = { kind: "lognormal", medianBytes: 200, sigma: 0.6, bytesMax: 1_000 };

function sample(spec: SizeSpec, draws: number): number[] {
  const sizes = createSizes(spec, 42);
  return Array.from({ length: draws }, (_, n) => sizes(n));
}

test("fixed is fixed", () => expect(new Set(sample({ kind: "fixed", bytes: 200 }, 100))).toEqual(new Set([200])));

test("weighted follows its weights", () => {
  const values = sample(weighted, 20_000);
  expect(values.filter((bytes) => bytes === 200).length / 20_000).toBeCloseTo(0.8, 1);
});

test("lognormal has its median and its cut", () => {
  const values = sample(lognormal, 20_001).sort((one, other) => one - other);
  expect(values[10_000]).toBeGreaterThan(190);
  expect(values[10_000]).toBeLessThan(210);
  expect(values.at(-1)).toBe(1_000);
  expect(values[0]).toBeGreaterThanOrEqual(1);
});

test("the same seed gives the same sizes", () => expect(sample(lognormal, 50)).toEqual(sample(lognormal, 50)));
