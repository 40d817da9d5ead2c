import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { loadScenario } from "../../bench/scenario/load.ts";
import type { Command } from "../command.ts";
import { shippedNames, shippedScenarios } from "../read-scenario.ts";

const listed = z.object({ name: z.string(), description: z.string(), file: z.string() });

export const benchListCommand: Command = {
  name: "bench list",
  summary: "List the scenarios that come with msgr",
  examples: [
    { command: "msgr bench list", what: "Names and what they measure" },
    { command: "msgr bench list --json", what: "With their files, to copy one from" },
  ],
  output: { schema: z.array(listed), lines: false },
  exits: [],
  run({ output }) {
    const scenarios = shippedNames().map((name): z.infer<typeof listed> => {
      const file = path.join(shippedScenarios, `${name}.yaml`);
      const loaded = loadScenario(file, (from) => readFileSync(from, "utf8"));
      return { name, description: loaded.ok ? loaded.scenario.description : "cannot be read", file };
    });
    output.data(scenarios, () =>
      scenarios.map(({ name, description }) => `${output.styleData("bold", name.padEnd(20))}${description}`).join("\n"),
    );
    return Promise.resolve("done");
  },
};
