import { defineConfig } from "vitest/config";

/** A project of its own for each kind of test, so that one can be run alone: `npx vitest run --project unit`. */
const project = (name: string, include: string[], testTimeout: number) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: true,
    allowOnly: false,
    restoreMocks: true,
    projects: [
      project("unit", ["src/**/*.test.ts"], 5_000),
      project("contract", ["test/contract/**/*.test.ts"], 20_000),
      project("integration", ["test/integration/**/*.test.ts"], 30_000),
      project("e2e", ["test/e2e/**/*.test.ts"], 60_000),
      project("sim", ["test/sim/**/*.test.ts"], 120_000),
      project("tidy", ["test/tidy.test.ts", "test/tidy/**/*.test.ts"], 30_000),
    ],
  },
});
