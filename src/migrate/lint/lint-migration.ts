import { didYouMean } from "../../base/did-you-mean.ts";
import { createsTable, objectToCql } from "../cql/object-to-cql.ts";
import type { Migration, Place, Statement } from "../migration.ts";
import { placeAt } from "../scanned.ts";
import { objectToSql, tablesCreated } from "../sql/object-to-sql.ts";
import { parseSql } from "../sql/scan.ts";
import { lintRules, type LintFinding, type LintRule, type LintRuleName, type Objection } from "./rules.ts";

/** Everything in a migration that no directive excuses, in the order of the file. SQL needs `loadSqlParser` first. */
export function lintMigration(migration: Migration): readonly LintFinding[] {
  return [...lintHeader(migration), ...lintAllowances(migration), ...lintStatements(migration)];
}

function lintStatements(migration: Migration): readonly LintFinding[] {
  const { directives, statements, kind } = migration;
  const newTables =
    kind === "sql" ? tablesCreated(statements.flatMap(({ text }) => parseSql(`${text};`).nodes)) : undefined;
  return statements.flatMap((statement) => {
    const objections: readonly Objection[] =
      newTables === undefined
        ? objectToCql(statement.text)
        : parseSql(`${statement.text};`).nodes.flatMap((node) =>
            objectToSql(node, { noTransaction: directives.noTransaction, newTables }),
          );
    return objections
      .filter(({ rule }) => !isExcused(rule, migration, statement))
      .map(({ rule, subject }) => finding(migration, rule, statement.place, subject));
  });
}

function isExcused(rule: LintRuleName, { directives }: Migration, { allowed }: Statement): boolean {
  if (directives.allowDestructive && lintRules[rule].destructive) return true;
  return directives.allowed.includes(rule) || allowed.includes(rule);
}

/** Whoever reads a table's schema has to find out what it is for. */
function lintHeader(migration: Migration): readonly LintFinding[] {
  const { kind, statements, text, directives } = migration;
  const makesTable =
    kind === "sql"
      ? tablesCreated(statements.flatMap((statement) => parseSql(`${statement.text};`).nodes)).size > 0
      : statements.some((statement) => createsTable(statement.text));
  const head = text.split("\n").find((line) => line !== "" && !/^--\s*msgr:/.test(line));
  if (!makesTable || directives.allowed.includes("no-header") || /^\s*(?:--|\/\*|\/\/)\s*\S/.test(head ?? ""))
    return [];
  return [finding(migration, "no-header", { line: 1, column: 1 }, migration.name)];
}

function lintAllowances(migration: Migration): readonly LintFinding[] {
  const names = [...migration.directives.allowed, ...migration.statements.flatMap(({ allowed }) => allowed)];
  const unknown = [...new Set(names)].filter((name) => !Object.hasOwn(lintRules, name));
  return unknown.map((name) => {
    const at = migration.text.search(new RegExp(`^--\\s*msgr:\\s*allow\\b.*\\b${name}\\b`, "m"));
    const guess = didYouMean(name, Object.keys(lintRules));
    const subject = guess === undefined ? name : `${name} (did you mean ${guess}?)`;
    return finding(migration, "unknown-rule", placeAt(migration.text, Math.max(0, at)), subject);
  });
}

function finding({ file }: Migration, rule: LintRuleName, place: Place, subject: string): LintFinding {
  const { severity, why, instead, destructive }: LintRule = lintRules[rule];
  const excuse = destructive
    ? "`-- msgr: allow-destructive` at its head"
    : `\`-- msgr: allow ${rule}\` above the statement`;
  return {
    rule,
    severity,
    file,
    place,
    message: `${subject}: ${why}`,
    fix: `${instead} If it has to be: ${excuse}.`,
  };
}
