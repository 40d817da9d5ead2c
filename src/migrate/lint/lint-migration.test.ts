import { beforeAll, describe, expect, it } from "vitest";
import { parseMigration } from "../parse-migration.ts";
import { loadSqlParser } from "../sql/scan.ts";
import { lintMigration } from "./lint-migration.ts";
import { lintRules, type LintRule } from "./rules.ts";

beforeAll(loadSqlParser);

const lint = (kind: "cql" | "sql", text: string) =>
  lintMigration(parseMigration({ kind, version: 1, name: "0001_x", file: `${kind}/0001_x.${kind}`, text }));
const rules = (kind: "cql" | "sql", text: string) => lint(kind, text).map(({ rule }) => rule);

const sqlCases: readonly (readonly [string, readonly string[]])[] = [
  ["CREATE INDEX i ON old (a);", ["index-not-concurrent"]],
  ["CREATE TABLE t (a int); CREATE INDEX i ON t (a);", []],
  ["-- msgr: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON old (a);", []],
  ["-- msgr: no-transaction\nCREATE INDEX CONCURRENTLY i ON old (a);", ["missing-if-not-exists"]],
  ["-- msgr: no-transaction\nALTER TABLE old ADD COLUMN x int;", ["missing-if-not-exists"]],
  ["-- msgr: no-transaction\nALTER TABLE old ADD COLUMN IF NOT EXISTS x int;", []],
  ["-- msgr: no-transaction\nALTER TABLE old DROP COLUMN x;", ["drop", "missing-if-not-exists"]],
  ["-- msgr: no-transaction\nALTER TABLE old DROP CONSTRAINT IF EXISTS x;", ["drop"]],
  ["-- msgr: no-transaction\nCREATE SEQUENCE s;", ["missing-if-not-exists"]],
  ["-- msgr: no-transaction\nCREATE SEQUENCE IF NOT EXISTS s;", []],
  ["CREATE INDEX CONCURRENTLY i ON old (a);", ["concurrently-in-transaction"]],
  ["BEGIN; SELECT 1; COMMIT;", ["transaction-control", "transaction-control"]],
  ["ALTER TABLE old ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b (a);", ["constraint-validated"]],
  ["ALTER TABLE old ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b (a) NOT VALID;", []],
  ["ALTER TABLE old ADD CONSTRAINT c CHECK (a > 0);", ["constraint-validated"]],
  ["ALTER TABLE old VALIDATE CONSTRAINT c;", []],
  ["ALTER TABLE old ADD CONSTRAINT u UNIQUE (a);", ["constraint-builds-index"]],
  ["ALTER TABLE old ADD CONSTRAINT u UNIQUE USING INDEX i;", []],
  ["ALTER TABLE old ADD PRIMARY KEY (a);", ["constraint-builds-index"]],
  ["ALTER TABLE old ALTER COLUMN a SET NOT NULL;", ["set-not-null"]],
  ["CREATE TABLE t (a int); ALTER TABLE t ALTER COLUMN a SET NOT NULL;", []],
  ["ALTER TABLE old ALTER COLUMN a TYPE bigint;", ["rewrite"]],
  ["ALTER TABLE old ADD COLUMN x int;", []],
  ["ALTER TABLE old ADD COLUMN x int NOT NULL DEFAULT 0;", []],
  ["ALTER TABLE old ADD COLUMN x int NOT NULL;", ["not-null-without-default"]],
  ["ALTER TABLE old ADD COLUMN x timestamptz DEFAULT now();", []],
  ["ALTER TABLE old ADD COLUMN x uuid DEFAULT gen_random_uuid();", ["rewrite"]],
  ["ALTER TABLE old ADD COLUMN x int GENERATED ALWAYS AS (a + 1) STORED;", ["rewrite"]],
  ["ALTER TABLE old ADD COLUMN x int REFERENCES b;", ["constraint-validated"]],
  ["ALTER TABLE old ADD COLUMN x int UNIQUE;", ["constraint-builds-index"]],
  ["VACUUM FULL old;", ["rewrite"]],
  ["ALTER TABLE old DROP COLUMN a;", ["drop"]],
  ["ALTER TABLE old DROP CONSTRAINT c;", ["drop"]],
  ["DROP TABLE a, b;", ["drop"]],
  ["DROP INDEX i;", ["drop"]],
  ["TRUNCATE old;", ["truncate"]],
  ["ALTER TABLE old RENAME TO new;", ["rename"]],
  ["ALTER TABLE old RENAME COLUMN a TO b;", ["rename"]],
  ["UPDATE old SET a = 1 WHERE b = 2;", []],
];

const table = (body: string) => `CREATE TABLE IF NOT EXISTS t (${body});`;
const cqlCases: readonly (readonly [string, readonly string[]])[] = [
  [table("id uuid PRIMARY KEY, a text"), []],
  ["CREATE TABLE t (id uuid PRIMARY KEY);", ["missing-if-not-exists"]],
  ["create table t (id uuid primary key);", ["missing-if-not-exists"]],
  ["CREATE TABLE t (note text PRIMARY KEY) WITH comment = ' IF NOT EXISTS ';", ["missing-if-not-exists"]],
  ["ALTER TABLE t ADD a text;", ["missing-if-not-exists"]],
  ["ALTER TABLE t ADD IF NOT EXISTS a text;", []],
  ["ALTER TABLE t DROP IF EXISTS a;", ["drop"]],
  ["ALTER TABLE t DROP a;", ["drop", "missing-if-not-exists"]],
  ["ALTER TABLE t RENAME a TO b;", ["rename"]],
  ["ALTER TABLE t WITH comment = 'DROP';", []],
  ["DROP TABLE IF EXISTS t;", ["drop"]],
  ["TRUNCATE t;", ["truncate"]],
  ["CREATE INDEX IF NOT EXISTS i ON t (a);", ["secondary-index"]],
  ["CREATE CUSTOM INDEX IF NOT EXISTS i ON t (a) USING 'StorageAttachedIndex';", ["secondary-index"]],
  [
    "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT a FROM t WHERE a IS NOT NULL PRIMARY KEY (a);",
    ["materialized-view"],
  ],
  ["SELECT a FROM t WHERE b = 1 ALLOW FILTERING;", ["allow-filtering"]],
  ["SELECT ' ALLOW FILTERING' FROM t;", []],
  [
    "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};",
    ["keyspace-statement", "simple-strategy"],
  ],
  ["USE k;", ["keyspace-statement"]],
  ["CREATE TABLE IF NOT EXISTS k.t (id uuid PRIMARY KEY);", ["keyspace-statement"]],
  ["INSERT INTO k.t (id) VALUES (now());", ["keyspace-statement"]],
  ["UPDATE t SET n = n + 1 WHERE id = 1;", ["not-repeatable"]],
  ["UPDATE t SET n = 1 WHERE id = 1;", []],
  [table("a uuid, at timestamp, PRIMARY KEY (a, at)"), ["unbounded-partition"]],
  [table("a uuid, at timestamp, PRIMARY KEY ((a), at)"), ["unbounded-partition"]],
  [table("a uuid, bucket int, at timestamp, PRIMARY KEY ((a, bucket), at)"), []],
  [table("a uuid, b uuid, PRIMARY KEY (a, b)"), []],
  [table("a uuid PRIMARY KEY, b list<text>, c frozen<set<int>>, d map<int, text>"), ["collection", "collection"]],
];

describe.each([
  ["sql", sqlCases],
  ["cql", cqlCases],
] as const)("the linter on %s", (kind, cases) => {
  it.each(cases)("says of %s: %j", (text, expected) => {
    const [directive = ""] = /^-- msgr:.*\n/.exec(text) ?? [];
    expect(rules(kind, `${directive}-- what it serves\n${text.slice(directive.length)}`)).toEqual(expected);
  });

  it("has a case for each of its rules", () => {
    const own = Object.entries<LintRule>(lintRules).filter(([, { kinds }]) => kinds.length === 1 && kinds[0] === kind);
    const covered = new Set(cases.flatMap(([, expected]) => expected));
    expect(own.map(([name]) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe("a finding", () => {
  it("has its place, and says how to excuse it", () => {
    const [finding] = lint("sql", "-- x\nSELECT 1;\n  CREATE INDEX i ON old (a);");
    expect(finding).toMatchObject({
      rule: "index-not-concurrent",
      severity: "error",
      file: "sql/0001_x.sql",
      place: { line: 3, column: 3 },
      message: expect.stringContaining("i: writes to the table wait") as string,
      fix: expect.stringContaining("-- msgr: allow index-not-concurrent") as string,
    });
  });

  it("is excused above its statement for that one, at the head for all, by allow-destructive if it destroys", () => {
    const drops = "DROP TABLE a;\nDROP TABLE b;";
    expect(rules("sql", `-- x\nSELECT 1;\n-- msgr: allow drop (unused since 0003)\n${drops}`)).toEqual(["drop"]);
    expect(rules("sql", `-- msgr: allow drop\n${drops}`)).toEqual([]);
    expect(rules("sql", `-- msgr: allow-destructive\n${drops}\nCREATE INDEX i ON old (a);`)).toEqual([
      "index-not-concurrent",
    ]);
  });

  it("is also an allowance for a rule that nobody knows", () => {
    const [finding] = lint("cql", "-- x\nSELECT a FROM t;\n-- msgr: allow dorp\nSELECT a FROM t;");
    expect(finding).toMatchObject({
      rule: "unknown-rule",
      place: { line: 3, column: 1 },
      message: expect.stringContaining("did you mean drop?") as string,
    });
  });

  it("is a table without a word about what it serves", () => {
    expect(rules("sql", "CREATE TABLE t (a int);")).toEqual(["no-header"]);
    expect(rules("cql", "-- msgr: timeout 5s\nCREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY);")).toEqual([
      "no-header",
    ]);
    expect(rules("sql", "UPDATE old SET a = 1;")).toEqual([]);
  });
});
