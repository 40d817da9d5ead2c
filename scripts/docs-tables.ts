// Writes what the docs repeat from the code: `npm run docs:tables` (write-docs.mjs). Tables stand between
// `<!-- table:NAME -->` and `<!-- /table -->`, usage between `<!-- help:COMMAND -->` and `<!-- /help -->`; the tidy test
// fails when one differs.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exitCodes } from "../src/cli/exit-codes.ts";
import { closeCodes } from "../src/protocol/close-codes.ts";
import { limits } from "../src/protocol/limits.ts";
import { wireErrors } from "../src/protocol/wire-errors.ts";
import type { RateRule } from "../src/core/ports/rate-limits.ts";
import { ratePresets } from "../src/server/rate-rules.ts";

type Row = readonly (string | number)[];

/** A Markdown table; a bar in a cell would open another one. */
export function renderTable(header: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

const byteUnits = [
  [1024 * 1024, "MiB"],
  [1024, "KiB"],
] as const;
const timeUnits = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** `131072` of `frameBytesMax` as `128 KiB`: the largest unit that leaves a whole number. */
export function describeLimit(name: string, value: number): string {
  const isTime = name.endsWith("Ms");
  const units = isTime ? timeUnits : /Bytes/.test(name) ? byteUnits : [];
  const unit = units.find(([size]) => value >= size && value % size === 0);
  if (unit !== undefined) return `${(value / unit[0]).toLocaleString("en")} ${unit[1]}`;
  return `${value.toLocaleString("en")}${isTime ? " ms" : ""}`;
}

/** The tables by name, as the code has them now. */
export const tables: Readonly<Record<string, () => string>> = {
  errors: () =>
    renderTable(
      ["code", "HTTP", "temporary", "message", "what to do"],
      Object.entries(wireErrors).map(([code, { status, temporary, message, fix }]) => [
        `\`${code}\``,
        status,
        temporary ? "yes" : "no",
        message,
        fix,
      ]),
    ),
  "close-codes": () =>
    renderTable(
      ["code", "name", "reason", "what to do"],
      Object.entries(closeCodes).map(([name, { code, reason, fix }]) => [code, `\`${name}\``, reason, fix]),
    ),
  limits: () =>
    renderTable(
      ["limit", "value"],
      Object.entries(limits).map(([name, value]) => [`\`${name}\``, describeLimit(name, value)]),
    ),
  rates: () =>
    renderTable(
      ["what", "at once", "then one every"],
      Object.entries<RateRule | undefined>({ ...ratePresets.default }).flatMap(([name, rule]) =>
        rule === undefined
          ? []
          : [[`\`${name}\``, rule.burst.toLocaleString("en"), describeLimit("intervalMs", rule.intervalMs)]],
      ),
    ),
  "exit-codes": () =>
    renderTable(
      ["exit code", "name", "meaning"],
      Object.entries(exitCodes).map(([name, { code, meaning }]) => [code, `\`${name}\``, meaning]),
    ),
};

const marked = /(<!-- table:([\w-]+) -->\n)[\s\S]*?(<!-- \/table -->)/g;

/** `text` with every marked table as the code has it; throws when it marks a table that nobody renders. */
export function fillTables(text: string): string {
  return text.replaceAll(marked, (_all, open: string, name: string, close: string) => {
    const render = tables[name];
    if (render === undefined)
      throw new Error(`no table is called ${name}: there are ${Object.keys(tables).join(", ")}`);
    return `${open}${render()}\n${close}`;
  });
}

/** The names of the tables that `text` marks. */
export function tablesIn(text: string): string[] {
  return [...text.matchAll(marked)].map((match) => match[2] ?? "");
}

const usage = /(<!-- help:([\w -]*) -->\n)[\s\S]*?(<!-- \/help -->)/g;
const helpTimeoutMs = 10_000;

/** What `msgr COMMAND --help` prints, in the width of a pipe and without colours. Throws when the command fails. */
export function printedHelp(command: string): string {
  const launcher = fileURLToPath(new URL("../bin/msgr", import.meta.url));
  const words = command.split(" ").filter((word) => word !== "");
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  const options = { env, encoding: "utf8", timeout: helpTimeoutMs } as const;
  return execFileSync(process.execPath, [launcher, ...words, "--help"], options).trimEnd();
}

/** `text` with every usage block as `help` answers it. */
export function fillUsage(text: string, help: (command: string) => string): string {
  return text.replaceAll(
    usage,
    (_all, open: string, command: string, close: string) => `${open}\`\`\`\n${help(command)}\n\`\`\`\n${close}`,
  );
}

/** The commands whose usage `text` shows; the program itself is "". */
export function usageIn(text: string): string[] {
  return [...text.matchAll(usage)].map((match) => match[2] ?? "");
}

/** Where each table has to stand. */
export const documentsWithTables: Readonly<Record<string, readonly string[]>> = {
  "docs/protocol.md": ["errors", "close-codes", "rates", "limits"],
  "docs/cli.md": ["exit-codes"],
};

function rewrite(document: string, fill: (text: string) => string): void {
  const file = new URL(`../${document}`, import.meta.url);
  const text = readFileSync(file, "utf8");
  const filled = fill(text);
  if (filled !== text) writeFileSync(file, filled);
  process.stdout.write(`${document}: ${filled === text ? "unchanged" : "rewritten"}\n`);
}

/** Writes every document anew that differs from the code. */
export function writeDocuments(): void {
  for (const document of Object.keys(documentsWithTables)) rewrite(document, fillTables);
  rewrite("README.md", (text) => fillUsage(text, printedHelp));
}
