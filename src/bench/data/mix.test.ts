import { expect, test } from "vitest";
import { mix32, mixBelow, mixFloat, seedFor } from "./mix.ts";

test("values depend on every input and on nothing else", () => {
  expect(mix32(1, 2, 3)).toBe(mix32(1, 2, 3));
  expect(new Set([mix32(1, 2, 3), mix32(2, 2, 3), mix32(1, 3, 3), mix32(1, 2, 4), mix32(1, 2 + 2 ** 32, 3)]).size).toBe(
    5,
  );
});

test("values are spread evenly over their range", () => {
  const buckets = new Uint32Array(16);
  for (let n = 0; n < 160_000; n++) buckets[mixBelow(42, n, 7, 16)]!++;
  // Binomial(160000, 1/16): sd ≈ 97; five of them.
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test("floats stay below one", () => {
  for (let n = 0; n < 10_000; n++) expect(mixFloat(1, n, 0)).toBeLessThan(1);
});

test("purposes get seeds of their own", () => {
  expect(seedFor(42, "arrivals")).not.toBe(seedFor(42, "sizes"));
  expect(seedFor(42, "arrivals")).not.toBe(seedFor(43, "arrivals"));
});
