import { z } from "zod";
import type { MigrationStatus } from "../../migrate/compare.ts";
import type { Output } from "../output.ts";
import { kindSchema } from "./options.ts";

export const statusDocument = z.object({
  pending: z.int(),
  migrations: z.array(
    z.object({
      kind: kindSchema,
      version: z.int(),
      name: z.string(),
      state: z.enum(["applied", "partial", "pending", "changed", "newer", "skipped"]),
      statements: z.int().nullable(),
      statements_done: z.int().nullable(),
      started_at: z.string().nullable(),
      finished_at: z.string().nullable(),
      by: z.string().nullable(),
    }),
  ),
});

export function documentOf(statuses: readonly MigrationStatus[]): z.infer<typeof statusDocument> {
  const migrations = statuses.map(({ kind, version, name, state, migration, entry }) => {
    const statements = migration?.statements.length ?? null;
    return {
      kind,
      version,
      name,
      state,
      statements,
      statements_done: state === "applied" ? statements : (entry?.statementsDone.length ?? 0),
      started_at: entry?.startedAt.toISOString() ?? null,
      finished_at: entry?.finishedAt?.toISOString() ?? null,
      by: entry?.runner ?? null,
    };
  });
  const pending = statuses.filter(({ state }) => state === "pending" || state === "partial").length;
  return { pending, migrations };
}

/** Columns of equal width. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const styleByState = { applied: "green", partial: "yellow", pending: "yellow" } as const;

export function statusText(statuses: readonly MigrationStatus[], output: Output): string {
  if (statuses.length === 0) return "There are no migrations.";
  const rows = statuses.map(({ kind, name, state, migration, entry }) => {
    const progress = `${entry?.statementsDone.length ?? 0} of ${migration?.statements.length ?? 0} statements, `;
    const when = (entry?.finishedAt ?? entry?.startedAt)?.toISOString() ?? "";
    const words = entry === undefined ? "" : `${state === "partial" ? progress : ""}${when} by ${entry.runner}`;
    return [`${kind}/${name}.${kind}`, state, words];
  });
  const lines = alignColumns(rows).split("\n");
  return lines
    .map((line, index) => {
      const { state } = statuses[index] as MigrationStatus;
      const style = state === "applied" || state === "partial" || state === "pending" ? styleByState[state] : "red";
      return line.replace(` ${state}`, ` ${output.styleData(style, state)}`);
    })
    .join("\n");
}
