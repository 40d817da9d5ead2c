import { describe, expect, it } from "vitest";
import { checkCycles, checkImports, resolveImport } from "./import-table.ts";

const importing = (path: string, specifier: string) =>
  checkImports({ path, text: `import { a } from "${specifier}";\n` }).map(({ message }) => message);

describe("checkImports", () => {
  it.each([
    ["src/base/a.ts", "../protocol/b.ts"],
    ["src/protocol/a.ts", "../core/b.ts"],
    ["src/core/ports/a.ts", "../../stores/lmdb/b.ts"],
    ["src/core/a.ts", "node:fs/promises"],
    ["src/protocol/a.ts", "node:net"],
    ["src/core/a.ts", "lmdb"],
    ["src/server/a.ts", "process"],
    ["src/stores/lmdb/a.ts", "../memory/b.ts"],
    ["src/stores/lmdb/a.ts", "../../server/b.ts"],
    ["src/stores/memory/a.ts", "lmdb"],
    ["src/stores/lmdb/a.ts", "@aws-sdk/client-s3"],
    ["src/migrate/a.ts", "../stores/lmdb/b.ts"],
    ["src/server/http/a.ts", "../../stores/lmdb/b.ts"],
    ["src/server/context-helpers.ts", "../stores/lmdb/b.ts"],
    ["src/server/context-embedded.ts", "../cli/main.ts"],
    ["src/client/machine/a.ts", "../../core/b.ts"],
    ["src/client/a.ts", "../server/b.ts"],
    ["src/bench/a.ts", "../server/b.ts"],
    ["src/bench/workloads/direct.ts", "../../stores/lmdb/b.ts"],
    ["src/bench/workloads/store-log.ts", "../../server/b.ts"],
    ["src/chat/a.ts", "../bench/b.ts"],
    ["src/base/a.ts", "../../test/helpers/b.ts"],
    ["src/base/a.test.ts", "../../test/e2e/b.ts"],
    ["src/elsewhere/a.ts", "./b.ts"],
  ])("%s may not import %s", (path, specifier) => {
    expect(importing(path, specifier)).toHaveLength(1);
  });

  it.each([
    ["src/protocol/a.ts", "../base/b.ts"],
    ["src/core/ports/a.ts", "../../protocol/b.ts"],
    ["src/core/a.ts", "node:crypto"],
    ["src/stores/lmdb/a.ts", "lmdb"],
    ["src/stores/lmdb/a.ts", "../../core/ports/b.ts"],
    ["src/stores/lmdb/sub/a.ts", "../b.ts"],
    ["src/migrate/a.ts", "../stores/postgres/b.ts"],
    ["src/server/context-embedded.ts", "../stores/lmdb/b.ts"],
    ["src/bench/workloads/store-log.ts", "../../stores/lmdb/b.ts"],
    ["src/bench/a.ts", "../client/b.ts"],
    ["src/cli/commands/a.ts", "../../server/b.ts"],
    ["src/base/a.test.ts", "../../test/helpers/b.ts"],
    ["test/e2e/a.test.ts", "../../src/server/b.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(importing(path, specifier)).toEqual([]);
  });

  it("counts types, re-exports and dynamic imports", () => {
    const text =
      'import type { A } from "../server/a.ts";\nexport { b } from "../server/b.ts";\nimport("../server/c.ts");\n';
    expect(checkImports({ path: "src/client/a.ts", text }).map(({ line }) => line)).toEqual([1, 2, 3]);
  });
});

describe("checkCycles", () => {
  const file = (name: string, ...targets: string[]) => ({
    path: `src/${name}.ts`,
    text: targets.map((target) => `import type { x } from "./${target}.ts";`).join("\n"),
  });

  it("finds a ring, however long, once", () => {
    const messages = checkCycles([file("a", "b"), file("b", "c"), file("c", "a"), file("d", "a")]);
    expect(messages.map(({ message }) => message)).toEqual(["import cycle: src/a.ts → src/b.ts → src/c.ts → src/a.ts"]);
  });

  it("finds a file that imports itself", () => {
    expect(checkCycles([file("a", "a")])).toHaveLength(1);
  });

  it("lets two files share a third", () => {
    expect(checkCycles([file("a", "b", "c"), file("b", "c"), file("c")])).toEqual([]);
  });
});

it("resolves an import against the file that holds it", () => {
  expect(resolveImport("src/core/ports/a.ts", "../../base/b.ts")).toBe("src/base/b.ts");
});
