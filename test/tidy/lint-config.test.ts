import { describe, expect, it } from "vitest";
import { forbiddenByLint, forbiddenByTable } from "./lint-config.ts";

const config = (regex: string) => ({
  overrides: [{ files: ["src/a/**"], rules: { "no-restricted-imports": ["error", { patterns: [{ regex }] }] } }],
});

describe("forbiddenByLint", () => {
  it("reads the folders out of the pattern", () => {
    expect(forbiddenByLint(config("^(\\.\\./)+(server|cli)/"), "src/a/**")).toEqual(["cli", "server"]);
  });

  it("is empty when the folder has no rule, so that a lost rule is seen", () => {
    expect(forbiddenByLint(config("^(\\.\\./)+(server|cli)/"), "src/b/**")).toEqual([]);
  });
});

it("the table forbids what it does not allow", () => {
  expect(forbiddenByTable("client")).not.toContain("protocol");
  expect(forbiddenByTable("client")).toContain("core");
  expect(forbiddenByTable("server", ["stores"])).not.toContain("stores");
});
