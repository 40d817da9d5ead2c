import { describe, expect, it } from "vitest";
import {
  describeLimit,
  fillTables,
  fillUsage,
  renderTable,
  tables,
  tablesIn,
  usageIn,
} from "../../scripts/docs-tables.ts";
import { wireErrors } from "../../src/protocol/wire-errors.ts";

const marked = (name: string, body: string): string =>
  `before\n<!-- table:${name} -->\n${body}<!-- /table -->\nafter\n`;

describe("fillTables", () => {
  it("changes a document whose table differs from the code, and nothing around the table", () => {
    const filled = fillTables(marked("errors", "| old |\n"));
    expect(filled).toBe(marked("errors", `${tables["errors"]?.()}\n`));
    expect(filled).not.toContain("old");
  });

  it("leaves a document alone whose tables are right", () => {
    const right = fillTables(marked("limits", ""));
    expect(fillTables(right)).toBe(right);
  });

  it("notices a single changed cell", () => {
    const right = fillTables(marked("close-codes", ""));
    const wrong = right.replace("4001", "4009");
    expect(wrong).not.toBe(right);
    expect(fillTables(wrong)).toBe(right);
  });

  it("refuses a name that nobody renders", () => {
    expect(() => fillTables(marked("erors", ""))).toThrow("no table is called erors");
  });
});

describe("fillUsage", () => {
  const help = (command: string): string => `Usage: msgr ${command}`;
  const block = (command: string, body: string): string => `a\n<!-- help:${command} -->\n${body}<!-- /help -->\nb\n`;

  it("puts what the command prints into its block", () => {
    expect(fillUsage(block("bench plan", "old\n"), help)).toBe(
      block("bench plan", "```\nUsage: msgr bench plan\n```\n"),
    );
  });

  it("leaves a right block alone and notices a changed option", () => {
    const right = fillUsage(block("", ""), help);
    expect(fillUsage(right, help)).toBe(right);
    expect(fillUsage(right.replace("Usage", "Use"), help)).toBe(right);
  });

  it("knows which commands a text shows", () => {
    expect(usageIn(block("", "") + block("serve", ""))).toEqual(["", "serve"]);
  });
});

it("has one row for each error", () => {
  for (const code of Object.keys(wireErrors)) expect(tables["errors"]?.()).toContain(`| \`${code}\` |`);
});

it("keeps a bar inside its cell", () => {
  expect(renderTable(["a"], [["b|c"]])).toBe("| a |\n|---|\n| b\\|c |");
});

it("finds the names of the marked tables", () => {
  expect(tablesIn(marked("errors", "") + marked("limits", ""))).toEqual(["errors", "limits"]);
});

it.each([
  ["frameBytesMax", 131_072, "128 KiB"],
  ["helloTimeoutMs", 5_000, "5 s"],
  ["blockRecheckMs", 500, "500 ms"],
  ["lastSeenTtlMs", 2_592_000_000, "30 d"],
  ["frameFragmentsMax", 64, "64"],
  ["blocksPerUserMax", 5_000, "5,000"],
])("describes %s = %d as %s", (name, value, expected) => {
  expect(describeLimit(name, value)).toBe(expected);
});
