import { z } from "zod";
import type { Command } from "../command.ts";
import { findingSchema, findingsText } from "../doctor/print-findings.ts";
import { configError, loadConfig } from "../load-config.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look at this machine, the stores and the server, and say what to mend and how",
  details:
    "Each line is ok, warn or fail; below what is not ok stands what mends it. A fail ends with exit code 5, a warning does\nnot. Nothing is changed.",
  options: [
    {
      flags: "--profile <name>",
      description: "look at what this profile needs (profile)",
      choices: ["embedded", "cluster"],
    },
    { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
    { flags: "--set <setting=value>", description: "any other setting; see `msgr config show`", repeatable: true },
  ],
  examples: [
    { command: "msgr doctor", what: "What the configured profile needs" },
    { command: "msgr doctor --profile cluster", what: "The real stores: versions, schema, replication, clocks" },
    { command: "msgr doctor --json | jq '.findings[] | select(.state != \"ok\")'", what: "For scripts" },
  ],
  output: { schema: z.object({ ok: z.boolean(), findings: z.array(findingSchema) }), lines: false },
  exits: ["configuration", "finding"],
  async run({ options, output, environment }) {
    const profile = options["profile"];
    const resolved = loadConfig(
      {
        flags: typeof profile === "string" ? [{ path: "profile", text: profile, flag: "--profile" }] : [],
        set: (options["set"] ?? []) as string[],
        file: options["config"] as string | undefined,
        dev: undefined,
      },
      environment,
    );
    if ("problems" in resolved) throw configError(resolved.problems);
    const [{ allChecks }, { runChecks }] = await Promise.all([
      import("../doctor/checks.ts"),
      import("../doctor/run-checks.ts"),
    ]);
    const { config } = resolved;
    const findings = await runChecks(allChecks(config), { config, nowMs: () => Date.now() });
    const isFine = findings.every(({ state }) => state !== "fail");
    output.data({ ok: isFine, findings }, () => findingsText(findings, (style, text) => output.styleData(style, text)));
    return isFine ? "done" : "finding";
  },
};
