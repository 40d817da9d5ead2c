import { describe, expect, test } from "vitest";
import { mutants } from "./mutants/all.ts";
import { createPlan } from "./plan.ts";
import { simulate } from "./simulate.ts";

describe("the simulation", () => {
  test("runs the same way twice", async () => {
    for (const seed of [7, 11, 13]) {
      const [one, other] = [await simulate(seed), await simulate(seed, { keepsTrace: true })];
      expect(one.hash).toBe(other.hash);
      expect(one.steps).toBe(other.steps);
    }
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  });

  test("has something to lose in every run", async () => {
    let messages = 0;
    for (let seed = 1; seed <= 20; seed++) messages += (await simulate(seed)).messages;
    expect(messages).toBeGreaterThan(20 * 15);
  });
});

/** Several times what each takes now, so that a change elsewhere that shifts the draws does not matter. */
const seedsMax = 1_500;

describe("a planted mistake is found", () => {
  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("%s", async (_name, mutant) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      if (mutant.shows?.(createPlan(seed)) === false) continue;
      const { violations } = await simulate(seed, { mutant });
      if (violations.length > 0) return;
    }
    expect.fail(`not found in ${seedsMax} seeds`);
  });
});
