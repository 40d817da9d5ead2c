import fc from "fast-check";
import { expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { backoffMs } from "./backoff.ts";

test("waits stay below a ceiling that doubles up to its maximum", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 2_000 }), (seed, attempt) => {
      const delay = backoffMs(attempt, 200, 30_000, createSeededRandom(seed));
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThan(Math.min(30_000, 200 * 2 ** attempt));
    }),
  );
});

test("waits of one attempt are spread over the whole span", () => {
  const random = createSeededRandom(1);
  const delays = Array.from({ length: 400 }, () => backoffMs(20, 200, 30_000, random));
  expect(Math.min(...delays)).toBeLessThan(1_000);
  expect(Math.max(...delays)).toBeGreaterThan(29_000);
});
