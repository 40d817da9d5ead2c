import { z } from "zod";
import type { Command } from "../command.ts";
import { configError, loadConfig } from "../load-config.ts";

export const configCheckCommand: Command = {
  name: "config check",
  summary: "Say what is wrong with the configuration of the server, if anything",
  options: [
    { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
    { flags: "--set <setting=value>", description: "as if given to `msgr serve`", repeatable: true },
  ],
  examples: [
    { command: "msgr config check", what: "Check ./msgr.yaml, the user's file and the environment" },
    { command: "msgr config check --config deploy/msgr.yaml", what: "Check a file before it is deployed" },
  ],
  output: { schema: z.object({ ok: z.literal(true) }), lines: false },
  exits: ["configuration"],
  run({ options, output, environment }) {
    const request = {
      flags: [],
      set: (options["set"] ?? []) as string[],
      file: options["config"] as string | undefined,
      dev: undefined,
    };
    const resolved = loadConfig(request, environment);
    if ("problems" in resolved) throw configError(resolved.problems);
    output.data({ ok: true }, () => "The configuration is in order.");
    return Promise.resolve("done");
  },
};
