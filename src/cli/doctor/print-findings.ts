import { z } from "zod";
import type { Output, Style } from "../output.ts";
import type { Finding, FindingState } from "./finding.ts";

export const findingSchema = z.object({
  check: z.string(),
  state: z.enum(["ok", "warn", "fail"]),
  message: z.string(),
  fix: z.string().optional(),
});

const styles: Readonly<Record<FindingState, Style>> = { ok: "green", warn: "yellow", fail: "red" };

/** A line for each finding, its fix below it. */
export function findingsText(findings: readonly Finding[], style: Output["styleData"]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, state, message, fix }) => {
      const line = `${style(styles[state], state.padEnd(4))}  ${check.padEnd(width)}  ${message}`;
      return fix === undefined ? line : `${line}\n${" ".repeat(width + 8)}→ ${fix}`;
    })
    .join("\n");
}
