import { importTable } from "./import-table.ts";

interface LintOverride {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

export interface LintConfig {
  readonly overrides: readonly LintOverride[];
}

const restriction = "no-restricted-imports";

/** The folders that the linter keeps `files` from importing: those of the pattern `^(\.\./)+(a|b)/`. */
export function forbiddenByLint(config: LintConfig, files: string): string[] {
  const override = config.overrides.find(
    (candidate) => candidate.files.includes(files) && restriction in candidate.rules,
  );
  const text = JSON.stringify(override?.rules[restriction] ?? "");
  return /\+\(([a-z|]+)\)\/"/.exec(text)?.[1]?.split("|").toSorted() ?? [];
}

/** The folders that the import table keeps `folder` from importing. */
export function forbiddenByTable(folder: string, alsoMay: readonly string[] = []): string[] {
  const may = new Set([folder, ...(importTable[folder] ?? []), ...alsoMay]);
  return Object.keys(importTable)
    .filter((other) => !may.has(other))
    .toSorted();
}
