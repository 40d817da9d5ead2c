import { lintMigration } from "../../migrate/lint/lint-migration.ts";
import type { LintFinding } from "../../migrate/lint/rules.ts";
import { isDue } from "../../migrate/migrate-up.ts";
import type { MigrationStatus } from "../../migrate/compare.ts";
import { describePlace } from "../../migrate/scanned.ts";
import { CliError } from "../cli-error.ts";
import type { Output } from "../output.ts";

export function findingText({ file, place, rule, message, fix }: LintFinding): string {
  return `${describePlace(file, place)}: ${rule}: ${message}\n    ${fix}`;
}

/** Lints what is about to run: warnings are said, errors end it before anything ran. Throws CliError. */
export function refuseLint(statuses: readonly MigrationStatus[], to: number, output: Output): void {
  const due = statuses.filter((status) => isDue(status, to));
  const findings = due.flatMap(({ migration }) => (migration === undefined ? [] : lintMigration(migration)));
  for (const finding of findings) if (finding.severity === "warning") output.warn(findingText(finding));
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const lines = errors.map((finding) => `\n  ${findingText(finding)}`);
  throw new CliError("finding", `Nothing was run: the linter objects.${lines.join("")}`, {
    fix: "Correct the file, or allow it there with the directive that each line names.",
  });
}
