import { describe, expect, it } from "vitest";
import { checkLength, checkLockFile, checkName, checkText, textRules } from "./text-rules.ts";

const found = (path: string, text: string): number =>
  textRules.flatMap((rule) => checkText(rule, { path, text })).length;

// Put together from parts, so that this file does not break the rules it tests.
const only = ["it", "only"].join(".");
const skip = ["describe", "skip"].join(".");
const later = ["TO", "DO"].join("");
const machinePath = ["", "home", "someone", "x"].join("/");
const suppression = ["@ts", "ignore"].join("-");
const expectation = ["@ts", "expect-error"].join("-");

describe("the rules about text", () => {
  it.each([
    ["src/a.ts", "const a: any = 1;"],
    ["src/a.ts", "const a = b as any;"],
    ["src/a.ts", "function f(...a: any[]): void {}"],
    ["src/a.ts", "const a: Map<string, any> = b;"],
    ["src/a.ts", "const a = z.any();"],
    ["src/a.ts", `// ${suppression}`],
    ["src/a.ts", `// ${expectation}\nconst a = 1;`],
    ["src/a.ts", "export default 1;"],
    ["src/a.ts", "export { a as default };"],
    ["src/a.ts", 'export * from "./b.ts";'],
    ["src/a.test.ts", `${only}("x", () => {});`],
    ["src/a.test.ts", `${skip}("x", () => {});`],
    ["test/e2e/a.test.ts", `${skip}If(true)("x", () => {});`],
    ["src/a.ts", `// ${later}: later`],
    ["docs/a.md", later],
    ["src/a.ts", "process.exit(1);"],
    ["src/cli/commands/a.ts", "process.exit(1);"],
    ["src/a.ts", 'const a = process.env["A"];'],
    ["src/cli/main.ts", 'const a = process.env["A"];'],
    ["src/core/a.ts", "const a = Date.now();"],
    ["src/core/a.ts", "const a = new Date();"],
    ["src/client/machine/a.ts", "setTimeout(f, 1);"],
    ["src/protocol/a.ts", "const a = Math.random();"],
    ["src/a.ts", `const a = "${machinePath}";`],
    ["README.md", `see ${machinePath}`],
  ])("%s: %s", (path, text) => {
    expect(found(path, text)).toBe(1);
  });

  it.each([
    ["src/a.ts", "// any word in a comment, and process.exit( too"],
    ["src/a.ts", 'const a = "any";'],
    ["src/a.ts", "await Promise.any([a]); AbortSignal.any([b]);"],
    ["src/a.ts", `// ${expectation} the driver's types lack this option`],
    ["src/a.test.ts", `// The runner has no second core here.\n${skip}("x", () => {});`],
    ["vitest.config.ts", "export default {};"],
    ["src/cli/main.ts", "process.exit(1);"],
    ["src/cli/env.ts", 'const a = process.env["A"];'],
    ["src/a.ts", "process.exitCode = 1;"],
    ["src/core/a.test.ts", "const a = Date.now();"],
    ["src/server/a.ts", "setTimeout(f, 1);"],
    ["src/core/a.ts", "const a = new Date(ms);"],
    ["src/a.ts", 'import { a } from "../work/a.ts"; const b = "/api/home/x";'],
  ])("%s may say: %s", (path, text) => {
    expect(found(path, text)).toBe(0);
  });

  it("names the line", () => {
    const rule = textRules.find(({ message }) => message.startsWith("only src/cli/main.ts"));
    expect(rule && checkText(rule, { path: "src/a.ts", text: "\n\nprocess.exit();\n" })[0]?.line).toBe(3);
  });
});

describe("the rules about files", () => {
  it("a source file has 400 lines at most, a test any number", () => {
    const text = "a\n".repeat(401);
    expect(checkLength({ path: "src/a.ts", text })).toHaveLength(1);
    expect(checkLength({ path: "src/a.ts", text: "a\n".repeat(400) })).toEqual([]);
    expect(checkLength({ path: "src/a.test.ts", text })).toEqual([]);
  });

  it("no file is called index", () => {
    expect(checkName({ path: "src/core/index.ts", text: "" })).toHaveLength(1);
    expect(checkName({ path: "src/core/indexing.ts", text: "" })).toEqual([]);
  });

  it("a lock file names no host", () => {
    const path = "package-lock.json";
    expect(checkLockFile({ path, text: '{\n  "resolved": "https://registry.example/a.tgz"\n}' })[0]?.line).toBe(2);
    expect(checkLockFile({ path, text: '{ "integrity": "sha512-x" }' })).toEqual([]);
  });
});
