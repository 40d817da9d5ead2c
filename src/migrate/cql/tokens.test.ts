import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ScanError } from "../scanned.ts";
import { scanCql } from "./scan.ts";
import { tokenizeCql } from "./tokens.ts";

const anything = fc.string({ unit: fc.constantFrom(...Array.from("a1_ ;'\"$-/*\n(){}.,é𝔘")), maxLength: 40 });
const inner = fc.string({ unit: fc.constantFrom(...Array.from("a1 ;'\"-/*\n(é")), maxLength: 10 });

/** Pieces of a statement that hide semicolons. */
const piece = fc.oneof(
  inner.map((text) => `'${text.replaceAll("'", "''")}'`),
  inner.map((text) => `"${text.replaceAll('"', '""')}"`),
  inner.map((text) => `$$${text}$$`),
  inner.map((text) => `/* ${text.replaceAll("*/", "")} */`),
  inner.map((text) => `-- ${text.replaceAll("\n", "")}\n`),
  inner.map((text) => `// ${text.replaceAll("\n", "")}\n`),
  fc.constantFrom("1.5e-3", "0xCAFE", "550e8400-e29b-41d4-a716-446655440000", "{'a': 1}", "x", "12h30m", "a-b"),
);
const statement = fc.array(piece, { maxLength: 5 }).map((pieces) => ["INSERT", ...pieces].join(" "));

const statementsOf = (text: string) => scanCql(text).statements.map(({ start, end }) => text.slice(start, end));

describe("tokenizeCql", () => {
  it("puts every character into one token, or says where something never closes", () => {
    fc.assert(
      fc.property(anything, (text) => {
        try {
          const tokens = tokenizeCql(text);
          expect(tokens.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
          for (const { start, end } of tokens) expect(end).toBeGreaterThan(start);
        } catch (error) {
          expect(error).toBeInstanceOf(ScanError);
          expect(["'", '"', "$", "/"]).toContain(text[(error as ScanError).offset]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes time in proportion to the length, also for what is opened often and never closed", () => {
    const startedMs = performance.now();
    tokenizeCql("/ * - $ ".repeat(50_000));
    expect(() => tokenizeCql(`${"a ".repeat(100_000)}/*${"*".repeat(100_000)}`)).toThrow(ScanError);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

describe("scanCql", () => {
  it("finds the statements that were joined, whatever they hide their semicolons in", () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 5 }), (statements) => {
        const found = statementsOf(statements.map((text) => `${text}\n;\n`).join(""));
        // Comments at the end of a statement are not part of it.
        expect(found.length).toBe(statements.length);
        for (const [index, text] of found.entries()) expect(statements[index]?.startsWith(text)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps a batch together, until APPLY BATCH", () => {
    const batch = "BEGIN UNLOGGED BATCH INSERT INTO a (b) VALUES (';'); UPDATE a SET b = 1; APPLY BATCH";
    expect(statementsOf(`${batch};\nCREATE TABLE begin (id int PRIMARY KEY);`)).toEqual([
      batch,
      "CREATE TABLE begin (id int PRIMARY KEY)",
    ]);
    expect(statementsOf("begin batch delete from a; apply batch; select 1;")).toHaveLength(2);
  });

  it.each([
    ["a statement without its semicolon", "SELECT 1;\n  SELECT 2", 12],
    ["a batch without APPLY BATCH;", "BEGIN BATCH DELETE FROM a; ", 0],
    ["a string that is never closed", "SELECT 'a;", 7],
    ["a $$ string that is never closed", "AS $$ x;", 3],
    ["a comment that is never closed", "SELECT 1; /* x", 10],
    ["a quoted name that is never closed", 'SELECT "a', 7],
  ])("says where there is %s", (what, text, offset) => {
    expect(() => scanCql(text)).toThrow(expect.objectContaining({ message: what, offset }) as Error);
  });
});
