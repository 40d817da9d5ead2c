import { z } from "zod";
import { lintMigration } from "../../migrate/lint/lint-migration.ts";
import { lintRules, type LintFinding, type LintRule } from "../../migrate/lint/rules.ts";
import { MigrateError } from "../../migrate/migrate-error.ts";
import { readMigrations } from "../../migrate/read-migrations.ts";
import type { Command } from "../command.ts";
import { CliError } from "../cli-error.ts";
import { chosenDirectory, chosenKinds, directoryOption, onlyOption } from "../migrate/options.ts";
import { findingText } from "../migrate/refuse-lint.ts";

const findingsSchema = z.object({
  findings: z.array(
    z.object({
      rule: z.string(),
      severity: z.enum(["error", "warning"]),
      file: z.string(),
      line: z.int(),
      column: z.int(),
      message: z.string(),
      fix: z.string(),
    }),
  ),
});

export const migrateLintCommand: Command = {
  name: "migrate lint",
  summary: "Say what is dangerous in the migration files, without any store",
  details: `Rules: ${ruleNames()}.\n\`-- msgr: allow RULE\` above a statement excuses it, at the head of a file the whole file; \`-- msgr: allow-destructive\`\nat the head excuses what loses data. Warnings change no exit code.`,
  options: [onlyOption, directoryOption],
  examples: [
    { command: "msgr migrate lint", what: "The files of this version; exit 5 if there is an error" },
    { command: "msgr migrate lint --directory . --only sql --json", what: "Those of the working directory, for CI" },
  ],
  output: { schema: findingsSchema, lines: false },
  exits: ["finding"],
  async run(invocation) {
    const { output } = invocation;
    const directory = chosenDirectory(invocation);
    const findings: LintFinding[] = [];
    for (const kind of chosenKinds(invocation)) {
      const migrations = await readMigrations(directory, kind).catch((error: unknown) => {
        // A file that cannot be understood is what a linter is for.
        if (error instanceof MigrateError)
          throw new CliError("finding", error.message, { fix: error.fix, cause: error });
        throw error;
      });
      findings.push(...migrations.flatMap(lintMigration));
    }
    const document: z.infer<typeof findingsSchema> = {
      findings: findings.map(({ place, ...rest }) => ({ ...rest, line: place.line, column: place.column })),
    };
    output.data(document, () =>
      findings.length === 0
        ? "The linter has nothing to say."
        : findings.map((finding) => `${finding.severity} ${findingText(finding)}`).join("\n"),
    );
    return findings.some(({ severity }) => severity === "error") ? "finding" : "done";
  },
};

function ruleNames(): string {
  const rules: readonly (readonly [string, LintRule])[] = Object.entries(lintRules);
  return rules.map(([name, { kinds }]) => (kinds.length === 2 ? name : `${name} (${kinds[0] ?? ""})`)).join(", ");
}
