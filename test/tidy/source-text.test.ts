import { describe, expect, it } from "vitest";
import { blank, importsOf, lineAt } from "./source-text.ts";

const squeeze = (text: string): string => text.replaceAll(/ +/g, " ").trim();

describe("blank", () => {
  it("keeps offsets and lines", () => {
    const text = 'const a = "x"; // one\n/* two\nthree */ const b = `q${a}w`;\n';
    expect(blank(text, "all")).toHaveLength(text.length);
    expect(blank(text, "all").split("\n")).toHaveLength(text.split("\n").length);
  });

  it.each([
    ["a line comment", "a(); // b()", "a();"],
    ["a comment that the text ends with", "a(); //", "a();"],
    ["a block comment", "a(); /* b() */ c();", "a(); c();"],
    ["a string with an escaped quote", 'a("x\\" // y"); b();', "a( ); b();"],
    ["a comment mark in a string", 'a("//"); b();', "a( ); b();"],
    ["code in a template's hole", "a(`x ${b(`y ${c}`)} z`);", "a( b( c ) );"],
    ["braces in a template's hole", "a(`x ${b({ c: 1 })} y`); d();", "a( b({ c: 1 }) ); d();"],
    ["a pattern with quotes and slashes in a class", "a.replace(/[\"'/]/g, b); c();", "a.replace( g, b); c();"],
    ["a division, which is no pattern", "a = b / c; d = e / f;", "a = b / c; d = e / f;"],
    ["an apostrophe that never closes", "a = 'b\nc();", "a = \nc();"],
  ])("sees %s", (_name, text, expected) => {
    expect(squeeze(blank(text, "all"))).toBe(expected);
  });

  it("keeps strings when only comments are unwanted", () => {
    expect(blank('a("b"); // c', "comments")).toBe('a("b");     ');
  });
});

describe("importsOf", () => {
  it("finds every way to name a module, with its line", () => {
    const text = [
      'import { a } from "./a.ts";',
      'import type { B } from "./b.ts";',
      'import "./c.ts";',
      'export { d } from "./d.ts";',
      'const e = await import("./e.ts");',
      "import {",
      "  f,",
      '} from "./f.ts";',
      'export * from "./g.ts";',
    ].join("\n");
    const found = importsOf(text);
    expect(found.map(({ specifier }) => specifier)).toEqual(
      ["a", "b", "c", "d", "e", "f", "g"].map((x) => `./${x}.ts`),
    );
    expect(found.at(4)).toEqual({ specifier: "./e.ts", line: 5 });
  });

  it("ignores imports in comments", () => {
    expect(importsOf('// import { a } from "./a.ts";\n/* import "./b.ts" */')).toEqual([]);
  });
});

it("counts lines from one", () => {
  expect([lineAt("a\nb", 0), lineAt("a\nb", 2)]).toEqual([1, 2]);
});
