import { beforeAll, describe, expect, it } from "vitest";
import { parseMigration } from "./parse-migration.ts";
import { loadSqlParser } from "./sql/scan.ts";

const parse = (kind: "cql" | "sql", text: string) =>
  parseMigration({ kind, version: 1, name: "0001_x", file: `${kind}/0001_x.${kind}`, text });

beforeAll(loadSqlParser);

describe.each(["cql", "sql"] as const)("a %s file", (kind) => {
  it("falls into directives, statements with their places, and what is verified", () => {
    const migration = parse(
      kind,
      "-- é: words\n-- msgr: no-transaction\n-- msgr: timeout 30s\n-- msgr: allow rename (planned)\nSELECT 1 FROM a;\r\n" +
        "/* é */ -- msgr: allow drop, truncate because\n  SELECT 'é;' FROM b ;\n-- verify\nSELECT 3 FROM c;\n",
    );
    expect(migration.directives).toEqual({
      noTransaction: true,
      timeoutMs: 30_000,
      allowDestructive: false,
      allowed: ["rename"],
    });
    expect(migration.statements.map(({ text, place, allowed }) => [text.trim(), place, allowed])).toEqual([
      ["SELECT 1 FROM a", { line: 5, column: 1 }, []],
      ["SELECT 'é;' FROM b", { line: 7, column: 3 }, ["drop", "truncate"]],
    ]);
    expect(migration.verify.map(({ text, place }) => [text, place])).toEqual([
      ["SELECT 3 FROM c", { line: 9, column: 1 }],
    ]);
  });

  it.each([
    [
      "an unknown directive, with the one that was meant",
      "-- msgr: timeoot 3s\nSELECT 1;",
      "1:1: unknown directive timeoot: did you mean timeout?",
    ],
    ["a timeout that is none", "-- w\n-- msgr: timeout soon\nSELECT 1;", "2:1: a timeout is a number"],
    ["a timeout beyond an hour", "-- msgr: timeout 61m\nSELECT 1;", "1:1: a timeout is a number"],
    [
      "a directive of the head between statements",
      "SELECT 1;\n-- msgr: no-transaction\nSELECT 2;",
      "2:1: the directive no-transaction belongs to the head",
    ],
    ["an allowance without a rule", "SELECT 1;\n-- msgr: allow\nSELECT 2;", "2:1: name the lint rules"],
    ["a second verify part", "SELECT 1;\n-- verify\nSELECT 2;\n-- verify\nSELECT 3;", "4:1: a second -- verify"],
    ["nothing to run", "-- only words\n", "1:1: a migration without a statement"],
    ["a statement that was cut off", "SELECT 1;\n\n SELECT 2", "3:2: a statement without its semicolon"],
  ])("with %s is refused with its place", (_what, text, message) => {
    expect(() => parse(kind, text)).toThrow(`${kind}/0001_x.${kind}:${message}`);
  });
});

describe("a sql file", () => {
  it("is cut as PostgreSQL cuts it: dollar quotes, strings and functions keep their semicolons", () => {
    const text =
      "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $b$ BEGIN RETURN 1; END $b$;\nSELECT E'\\';' || ';';\nCREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;";
    expect(parse("sql", text).statements.map(({ place }) => place.line)).toEqual([1, 2, 3]);
  });

  it("with a syntax error is refused with the place that PostgreSQL names", () => {
    expect(() => parse("sql", "SELECT 1;\n-- é\nSELEC 2;")).toThrow(
      'sql/0001_x.sql:3:1: syntax error at or near "SELEC"',
    );
  });
});
