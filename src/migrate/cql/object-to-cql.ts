import type { Objection } from "../lint/rules.ts";
import { tokenizeCql } from "./tokens.ts";

/** The words of a statement, keywords and unquoted names in capitals; no blanks, no comments. */
export function cqlWords(statement: string): readonly string[] {
  return tokenizeCql(statement)
    .filter(({ kind }) => kind !== "blank" && kind !== "comment")
    .map(({ kind, start, end }) =>
      kind === "word" ? statement.slice(start, end).toUpperCase() : statement.slice(start, end),
    );
}

/** The words in a line, with what is in strings left out: for looking phrases up. */
function phrasesOf(words: readonly string[]): string {
  return words.map((word) => (word.startsWith("'") || word.startsWith("$$") ? "''" : word)).join(" ");
}

export function createsTable(statement: string): boolean {
  return cqlWords(statement).slice(0, 2).join(" ") === "CREATE TABLE";
}

/** Whether data is lost by it. */
export function destroysCql(statement: string): boolean {
  const words = cqlWords(statement);
  const isDrop = words[0] === "DROP" && !["INDEX", "ROLE", "USER", "TRIGGER"].includes(words[1] ?? "");
  return isDrop || words[0] === "TRUNCATE" || words[0] === "DELETE" || (words[0] === "ALTER" && words.includes("DROP"));
}

/** What there is to say against one statement. */
export function objectToCql(statement: string): readonly Objection[] {
  const words = cqlWords(statement);
  const objections = [...objectToVerb(words), ...objectToTable(words)];
  if (phrasesOf(words).includes(" ALLOW FILTERING"))
    objections.push({ rule: "allow-filtering", subject: "ALLOW FILTERING" });
  if (words.some((word) => /^'(?:.*\.)?SimpleStrategy'$/i.test(word)))
    objections.push({ rule: "simple-strategy", subject: "SimpleStrategy" });
  if (isQualified(words)) objections.push({ rule: "keyspace-statement", subject: nameOf(words) });
  return objections;
}

const objects: ReadonlySet<string> = new Set([
  "TABLE",
  "COLUMNFAMILY",
  "INDEX",
  "TYPE",
  "FUNCTION",
  "AGGREGATE",
  "VIEW",
]);

function objectToVerb(words: readonly string[]): Objection[] {
  const [verb = "", second = ""] = words;
  const text = phrasesOf(words);
  const subject = nameOf(words);
  if (verb === "USE" || second === "KEYSPACE")
    return [{ rule: "keyspace-statement", subject: `${verb} ${subject}`.trim() }];
  if (verb === "DROP") return [{ rule: "drop", subject }, ...unlessSays(text, "IF EXISTS", subject)];
  if (verb === "TRUNCATE") return [{ rule: "truncate", subject }];
  if (verb === "ALTER") return objectToAlter(words, subject);
  if (verb === "UPDATE" && / = \w+ [+-] | = \[.*\] \+ |\+ = |- = /.test(text))
    return [{ rule: "not-repeatable", subject }];
  if (verb !== "CREATE") return [];
  const found: Objection[] = [];
  if (text.includes("MATERIALIZED VIEW")) found.push({ rule: "materialized-view", subject });
  if (second === "INDEX" || text.startsWith("CREATE CUSTOM INDEX")) found.push({ rule: "secondary-index", subject });
  const isReplaced = text.startsWith("CREATE OR REPLACE");
  if (!isReplaced) found.push(...unlessSays(text, "IF NOT EXISTS", subject));
  return found;
}

function objectToAlter(words: readonly string[], subject: string): Objection[] {
  const text = phrasesOf(words);
  const found: Objection[] = [];
  if (words.includes("DROP")) found.push({ rule: "drop", subject }, ...unlessSays(text, "IF EXISTS", subject));
  if (words.includes("RENAME")) found.push({ rule: "rename", subject });
  if (words.includes("ADD")) found.push(...unlessSays(text, "IF NOT EXISTS", subject));
  return found;
}

function unlessSays(text: string, phrase: string, subject: string): Objection[] {
  return text.includes(` ${phrase} `) ? [] : [{ rule: "missing-if-not-exists", subject }];
}

/** The name after `CREATE TABLE IF NOT EXISTS` and the like, in lower case as Cassandra keeps it. */
function nameOf(words: readonly string[]): string {
  const skipped = new Set([
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "UPDATE",
    "OR",
    "REPLACE",
    "CUSTOM",
    "MATERIALIZED",
    "KEYSPACE",
  ]);
  const conditions = new Set(["IF", "NOT", "EXISTS", "USE", ...objects, ...skipped]);
  const at = words.findIndex((word) => !conditions.has(word));
  return (words[at] ?? words[0] ?? "").toLowerCase();
}

/** `keyspace.table`, where a table is named. */
function isQualified(words: readonly string[]): boolean {
  const leading = new Set(["TABLE", "EXISTS", "INTO", "FROM", "UPDATE", "TRUNCATE", "ON", "VIEW", "TYPE", "INDEX"]);
  return words.some((word, index) => leading.has(word) && words[index + 2] === "." && words[index + 1] !== "IF");
}

const growing: ReadonlySet<string> = new Set(["TIMESTAMP", "TIMEUUID", "BIGINT", "INT", "VARINT", "DATE", "COUNTER"]);
const collections: ReadonlySet<string> = new Set(["LIST", "SET", "MAP"]);

function objectToTable(words: readonly string[]): Objection[] {
  if (words[0] !== "CREATE" || words[1] !== "TABLE") return [];
  const found: Objection[] = [];
  const columns = columnsOf(words);
  for (const [name, type] of columns) {
    if (collections.has(type)) found.push({ rule: "collection", subject: name });
  }
  const { partition, clustering } = keyOf(words);
  const [first] = clustering;
  const isGrowing = first !== undefined && growing.has(columns.get(first) ?? "");
  if (partition.length === 1 && isGrowing) found.push({ rule: "unbounded-partition", subject: nameOf(words) });
  return found;
}

/** The parts between the outermost parentheses, cut at their commas. */
function definitionsOf(words: readonly string[], from: number): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const word of words.slice(from)) {
    if (word === ")" || word === ">") depth--;
    if (depth === 0 && word === ")") break;
    if (depth === 1 && word === ",") parts.push([]);
    else if (depth >= 1) (parts.at(-1) as string[]).push(word);
    if (word === "(" || word === "<") depth++;
  }
  return parts;
}

function columnsOf(words: readonly string[]): ReadonlyMap<string, string> {
  const definitions = definitionsOf(words, words.indexOf("("));
  return new Map(
    definitions.flatMap(([name, type]) =>
      name === undefined || name === "PRIMARY" ? [] : [[name.toLowerCase(), type ?? ""]],
    ),
  );
}

function keyOf(words: readonly string[]): {
  readonly partition: readonly string[];
  readonly clustering: readonly string[];
} {
  const at = words.findIndex(
    (word, index) => word === "PRIMARY" && words[index + 1] === "KEY" && words[index + 2] === "(",
  );
  if (at < 0) return { partition: [], clustering: [] };
  const [first = [], ...rest] = definitionsOf(words, at + 2);
  const names = first.filter((word) => /\w/.test(word)).map((word) => word.toLowerCase());
  return { partition: names, clustering: rest.flatMap(([name]) => (name === undefined ? [] : [name.toLowerCase()])) };
}
