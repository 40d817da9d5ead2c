import type { Check, CheckContext, Finding } from "./finding.ts";

/** All at once: each waits for something else. In the order of the checks. A check that breaks is a finding of its own. */
export async function runChecks(checks: readonly Check[], context: CheckContext): Promise<readonly Finding[]> {
  const found = await Promise.all(
    checks.map((check) =>
      check.run(context).catch((error: unknown): readonly Finding[] => [
        {
          check: check.name,
          state: "fail",
          message: `the check itself failed: ${error instanceof Error ? error.message : String(error)}`,
          fix: "Run it again with DEBUG=msgr, and report it if it stays.",
        },
      ]),
    ),
  );
  return found.flat();
}
