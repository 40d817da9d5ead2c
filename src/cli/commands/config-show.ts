import { z } from "zod";
import { describeConfig } from "../../server/config/resolve-config.ts";
import type { Command } from "../command.ts";
import { configError, loadConfig } from "../load-config.ts";

export const configShowCommand: Command = {
  name: "config show",
  summary: "Print every setting of the server and where its value came from",
  details:
    "A flag wins over the environment (MSGR_SECTION__KEY), then ./msgr.yaml, then the user's msgr.yaml, then the default.\nSecrets are masked.",
  options: [
    { flags: "--origin", description: "say where each value came from" },
    { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
    { flags: "--set <setting=value>", description: "as if given to `msgr serve`", repeatable: true },
  ],
  examples: [
    { command: "msgr config show --origin", what: "Every setting with the flag, variable or file:line it came from" },
    { command: "MSGR_HTTP__PORT=9000 msgr config show --json", what: "The same as JSON" },
  ],
  output: {
    schema: z.object({ settings: z.array(z.object({ path: z.string(), value: z.unknown(), origin: z.string() })) }),
    lines: false,
  },
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
    const settings = describeConfig(resolved);
    const width = Math.max(...settings.map(({ path }) => path.length));
    output.data({ settings }, () =>
      settings
        .map(({ path, value, origin }) => {
          const words = `${path.padEnd(width)}  ${value === null ? "-" : JSON.stringify(value)}`;
          return options["origin"] === true ? `${words.padEnd(width + 24)}  ${output.styleData("dim", origin)}` : words;
        })
        .join("\n"),
    );
    return Promise.resolve("done");
  },
};
