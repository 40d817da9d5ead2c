import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanJson } from "./json-scan.ts";

/** An object as the list of its members, so that a key can occur twice. */
type Tree = { readonly object: readonly (readonly [string, Tree])[] } | { readonly array: readonly Tree[] } | string;

function print(tree: Tree, space: string): string {
  if (typeof tree === "string") return JSON.stringify(tree);
  if ("array" in tree) return `[${space}${tree.array.map((item) => print(item, space)).join(`,${space}`)}]`;
  const members = tree.object.map(([key, value]) => `${JSON.stringify(key)}${space}:${space}${print(value, space)}`);
  return `{${space}${members.join(`${space},`)}}`;
}

function depthOf(tree: Tree): number {
  if (typeof tree === "string") return 0;
  const children = "array" in tree ? tree.array : tree.object.map(([, value]) => value);
  return 1 + Math.max(0, ...children.map(depthOf));
}

function repeatsKey(tree: Tree): boolean {
  if (typeof tree === "string") return false;
  if ("array" in tree) return tree.array.some(repeatsKey);
  const keys = tree.object.map(([key]) => key);
  return new Set(keys).size < keys.length || tree.object.some(([, value]) => repeatsKey(value));
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("a", "b", '"', "\\", "{", "a:", '\\"'),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    fc.record({ array: fc.array(tie("tree"), { maxLength: 4 }) }),
    fc.record({ object: fc.array(fc.tuple(text, tie("tree")), { maxLength: 4 }) }),
  ),
}));

describe("scanJson", () => {
  test("finds a repeated key wherever it is, and nothing where there is none", () => {
    fc.assert(
      fc.property(tree, fc.constantFrom("", " ", "\n\t"), (value, space) => {
        const found = scanJson(print(value, space), 64);
        expect(found).toBe(repeatsKey(value) ? "duplicate key" : undefined);
      }),
      { numRuns: 500 },
    );
  });

  test("counts nesting as it is", () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 0, max: 6 }), (value, depthMax) => {
        const found = scanJson(print(value, ""), depthMax);
        // A repeated key may be found before the depth is.
        const expected =
          depthOf(value) > depthMax ? ["nested too deeply", "duplicate key"] : [undefined, "duplicate key"];
        expect(expected).toContain(found);
      }),
    );
  });

  test("ends on any text without throwing", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\ua0\u00e9\ud800'.split("")) }), (hostile) => {
        const found = scanJson(hostile, 8);
        expect(found === undefined || typeof found === "string").toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['{"a":1,"a":2}', "duplicate key"],
    ['{"a":1,"\\u0061":2}', "duplicate key"],
    ['{"a":{"b":1,"b":2}}', "duplicate key"],
    ['[{"a":1},{"a":2}]', undefined],
    ['{"a":"a","b":"a"}', undefined],
    ['{"__proto__":1}', "forbidden key"],
    ['{"\\u005f_proto__":1}', "forbidden key"],
    ['{"a":"__proto__"}', undefined],
    ['{"a":"\\ud83d"}', "lone surrogate"],
    ['{"a":"\\ud83d\\ude00"}', undefined],
    ['{"a":"\ud83d"}', "lone surrogate"],
    ['{"a', "not JSON"],
    ['{"a":"\\x"}', "not JSON"],
    [`${"[".repeat(17)}${"]".repeat(17)}`, "nested too deeply"],
    [`${"[".repeat(16)}${"]".repeat(16)}`, undefined],
  ])("%s", (json, expected) => {
    expect(scanJson(json, 16)).toBe(expected);
  });

  test("stays linear for an object of very many keys", () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `"k${index}":0`);
    const started = performance.now();
    expect(scanJson(`{${keys.join(",")}}`, 16)).toBeUndefined();
    expect(scanJson(`{${keys.join(",")},"k7":0}`, 16)).toBe("duplicate key");
    expect(performance.now() - started).toBeLessThan(500);
  });
});
