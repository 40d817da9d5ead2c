import { describe, expect, it } from "vitest";
import { parseCount, parseDuration } from "./duration.ts";
import { splitWords } from "./split-words.ts";

describe("splitWords", () => {
  it.each([
    ["group create Team @bob", ["group", "create", "Team", "@bob"]],
    ["to \"Release 2\" 'it''s'", ["to", "Release 2", "it", "s"]],
    ["  spaced\tout ", ["spaced", "out"]],
    ['create ""', ["create", ""]],
    ["", []],
  ])("%s", (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });
});

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["2", 2_000],
    ["1.5m", 90_000],
    ["24h", 86_400_000],
  ])("%s is %d ms", (text, expected) => {
    expect(parseDuration("--timeout", text, 1)).toBe(expected);
  });

  it.each(["", "-1s", "5d", "1e3", "25h", "NaN", "Infinity"])("refuses %j", (text) => {
    expect(() => parseDuration("--timeout", text, 1)).toThrow("is not a time");
  });
});

describe("parseCount", () => {
  it("takes whole numbers within the bound", () => {
    expect(parseCount("--limit", undefined, 20, 200)).toBe(20);
    expect(parseCount("--limit", "200", 20, 200)).toBe(200);
    for (const text of ["0", "201", "1.5", "-3", "x"])
      expect(() => parseCount("--limit", text, 20, 200)).toThrow("--limit");
  });
});
