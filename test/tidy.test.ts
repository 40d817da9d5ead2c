import { describe, expect, it } from "vitest";
import { documentsWithTables, fillTables, fillUsage, printedHelp, tablesIn, usageIn } from "../scripts/docs-tables.ts";
import { describeFindings } from "./tidy/findings.ts";
import { checkCycles, checkImports, importTable } from "./tidy/import-table.ts";
import { forbiddenByLint, forbiddenByTable, type LintConfig } from "./tidy/lint-config.ts";
import { readRepository, readRepositoryFile } from "./tidy/repository.ts";
import { checkLength, checkLockFile, checkName, checkText, textRules } from "./tidy/text-rules.ts";

const files = readRepository();
const sources = files.filter(({ path }) => path.startsWith("src/") && /\.tsx?$/.test(path));

describe("the source", () => {
  it("is really being read", () => {
    const read = files.map(({ path }) => path);
    expect(read).toEqual(
      expect.arrayContaining(["src/protocol/limits.ts", "package.json", "bin/msgr", "test/tidy.test.ts"]),
    );
    expect(sources.length).toBeGreaterThan(20);
  });

  it("imports what the table allows, and nothing else", () => {
    expect(describeFindings(sources.flatMap(checkImports))).toEqual([]);
  });

  it("has no import cycles", () => {
    expect(describeFindings(checkCycles(sources))).toEqual([]);
  });

  it.each(textRules)("keeps the rule: $message", (rule) => {
    expect(describeFindings(files.flatMap((file) => checkText(rule, file)))).toEqual([]);
  });

  it("has no file that is too long, and none called index", () => {
    expect(describeFindings(sources.flatMap((file) => [...checkLength(file), ...checkName(file)]))).toEqual([]);
  });
});

describe("the import table of the linter", () => {
  const config = JSON.parse(readRepositoryFile(".oxlintrc.json").text) as LintConfig;
  const folders = Object.keys(importTable).filter((folder) => folder !== "cli");

  it.each(folders)("forbids src/%s what the table forbids", (folder) => {
    expect(forbiddenByLint(config, `src/${folder}/**`)).toEqual(forbiddenByTable(folder));
  });

  it("lets the composition root and the store workloads import stores, and nothing more", () => {
    expect(forbiddenByLint(config, "src/server/context-embedded.ts")).toEqual(forbiddenByTable("server", ["stores"]));
    expect(forbiddenByLint(config, "src/bench/workloads/store-*.ts")).toEqual(forbiddenByTable("bench", ["stores"]));
  });
});

describe.each(Object.entries(documentsWithTables))("%s", (document, names) => {
  const { text } = readRepositoryFile(document);

  it("has its tables", () => {
    expect(tablesIn(text)).toEqual(names);
  });

  it("says what the code says (npm run docs:tables mends it)", () => {
    expect(text).toBe(fillTables(text));
  });
});

describe("README.md", () => {
  const { text } = readRepositoryFile("README.md");

  it("shows the usage that --help prints (npm run docs:tables mends it)", () => {
    expect(usageIn(text)).toContain("");
    expect(text).toBe(fillUsage(text, printedHelp));
  });
});

describe("the repository", () => {
  it("installs from whichever registry a machine is set to", () => {
    expect(describeFindings(checkLockFile(readRepositoryFile("package-lock.json")))).toEqual([]);
  });

  it("pins every dependency to one version", () => {
    const manifest = JSON.parse(readRepositoryFile("package.json").text) as Record<string, Record<string, string>>;
    const ranges = ["dependencies", "devDependencies", "optionalDependencies", "overrides"].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[a-z0-9.]+)?$/.test(version)),
    );
    expect(ranges).toEqual([]);
  });
});
