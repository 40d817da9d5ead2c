import { z } from "zod";
import { readMachineLimits } from "../../bench/driver/machine-facts.ts";
import { computePlan } from "../../bench/scenario/plan.ts";
import { planText } from "../../bench/scenario/plan-text.ts";
import type { Command } from "../command.ts";
import { readScenario, scenarioOptions, workersOf } from "../read-scenario.ts";

export const benchPlanCommand: Command = {
  name: "bench plan",
  summary: "Say what a scenario would ask for: rates, connections, workers, memory, time",
  arguments: [{ name: "scenario", description: "a YAML file, or the name of a shipped one", required: true }],
  options: scenarioOptions,
  examples: [
    { command: "msgr bench plan quickstart", what: "A shipped scenario" },
    { command: "msgr bench plan my.yaml --set population.users=100k", what: "Would it fit this machine?" },
  ],
  output: {
    schema: z.looseObject({
      name: z.string(),
      users: z.int(),
      connections: z.int(),
      workloads: z.array(z.looseObject({ name: z.string() })),
      warnings: z.array(z.string()),
    }),
    lines: false,
  },
  exits: [],
  run(invocation) {
    const plan = computePlan(readScenario(invocation), readMachineLimits(), workersOf(invocation.options));
    invocation.output.data(plan, () => planText(plan).trimEnd());
    return Promise.resolve("done");
  },
};
