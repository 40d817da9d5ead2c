import { z } from "zod";
import type { Command } from "../command.ts";
import { findingSchema, findingsText } from "../doctor/print-findings.ts";
import { configError, loadConfig } from "../load-config.ts";

export const configCheckCommand: Command = {
  name: "config check",
  summary: "Say what is wrong with the configuration of the server, if anything",
  options: [
    { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
    { flags: "--set <setting=value>", description: "as if given to `msgr serve`", repeatable: true },
    {
      flags: "--online",
      description: "also ask the stores it names: reachable, of the right version, with the schema",
    },
  ],
  examples: [
    { command: "msgr config check", what: "Check ./msgr.yaml, the user's file and the environment" },
    { command: "msgr config check --config deploy/msgr.yaml", what: "Check a file before it is deployed" },
    { command: "msgr config check --online", what: "Also ask the stores" },
  ],
  output: { schema: z.object({ ok: z.boolean(), findings: z.array(findingSchema).optional() }), lines: false },
  exits: ["configuration", "finding"],
  async run({ options, output, environment }) {
    const request = {
      flags: [],
      set: (options["set"] ?? []) as string[],
      file: options["config"] as string | undefined,
      dev: undefined,
    };
    const resolved = loadConfig(request, environment);
    if ("problems" in resolved) throw configError(resolved.problems);
    if (options["online"] !== true) {
      output.data({ ok: true }, () => "The configuration is in order.");
      return "done";
    }
    const [{ storeChecks }, { runChecks }] = await Promise.all([
      import("../doctor/checks.ts"),
      import("../doctor/run-checks.ts"),
    ]);
    const { config } = resolved;
    const findings = await runChecks(storeChecks(config), { config, nowMs: () => Date.now() });
    const isFine = findings.every(({ state }) => state !== "fail");
    output.data({ ok: isFine, findings }, () => findingsText(findings, (style, text) => output.styleData(style, text)));
    return isFine ? "done" : "finding";
  },
};
