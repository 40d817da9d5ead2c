import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelWorld, type WorldStep } from "../../../test/helpers/model-world.ts";

const index = fc.nat({ max: 11 });
const step: fc.Arbitrary<WorldStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      device: index,
      to: index,
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 800 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), device: index, to: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), device: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("kill" as const),
      device: index,
      awaySteps: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("member" as const), user: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("block" as const), user: index, other: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resync" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expire" as const), conversation: index }) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });
const rough = {
  pushDropped: 0.2,
  pushDoubled: 0.2,
  sendUndecidedDone: 0.1,
  sendUndecidedLost: 0.1,
  sendTemporary: 0.1,
  delayMsMax: 120,
};

describe("machines against a server that keeps its promises and no more", () => {
  test.each([
    ["durable at once", 0],
    ["with a slow disk", 30],
  ])(
    "whatever is lost, doubled, delayed, cut or killed, everything arrives once and in order (%s)",
    { timeout: 20_000 },
    (_name, diskDelayMsMax) => {
      fc.assert(
        fc.property(fc.nat(), steps, (seed, list) => {
          const world = new ModelWorld({ seed, faults: rough, diskDelayMsMax });
          for (const each of list) world.step(each);
          world.settle();
          expect(world.findings()).toEqual([]);
        }),
        { numRuns: 150 },
      );
    },
  );
});
