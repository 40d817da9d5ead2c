import { defineConfig } from "vitest/config";

/**
 * A project of its own for each kind of test, so that one can be run alone: `vitest run --project unit`. Projects of one
 * group run side by side; what measures time or starts processes waits until the others are done with the cores.
 */
const project = (name: string, include: string[], testTimeout: number, groupOrder: number) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: true,
    allowOnly: false,
    restoreMocks: true,
    // Of what is asked again and again until it is so: a bound for a busy machine, not a promise. 1 s otherwise.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      project("unit", ["src/**/*.test.ts"], 5_000, 0),
      project("contract", ["test/contract/**/*.test.ts"], 40_000, 0),
      project("integration", ["test/integration/**/*.test.ts"], 60_000, 1),
      project("e2e", ["test/e2e/**/*.test.ts"], 240_000, 2),
      project("sim", ["test/sim/**/*.test.ts"], 400_000, 3),
      project("tidy", ["test/tidy.test.ts", "test/tidy/**/*.test.ts"], 30_000, 0),
    ],
  },
});
