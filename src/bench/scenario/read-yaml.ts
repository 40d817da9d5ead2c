import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Located, LocatedEntry } from "./located.ts";
import { type Origin, type Problem, problemAt } from "./problem.ts";

/** YAML 1.2 text → a tree that knows its lines, or every syntax error. Aliases and tags are refused: `extends` serves. */
export type ReadYaml =
  | { readonly ok: true; readonly node: Located }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const depthMax = 16;

export function readYaml(text: string, file: string): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const origin = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = document.errors.map((error) => problemAt(origin(error.pos[0]), firstLine(error.message)));
  if (problems.length > 0) return { ok: false, problems };
  if (document.contents === null) return { ok: false, problems: [problemAt(origin(0), "the file is empty")] };
  const node = locate(document.contents, origin, problems, 0);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, node };
}

function locate(node: Node, origin: (offset: number) => Origin, problems: Problem[], depth: number): Located {
  const at = origin(node.range?.[0] ?? 0);
  const nothing: Located = { kind: "scalar", origin: at, value: null };
  if (depth > depthMax) {
    problems.push(problemAt(at, `nested deeper than ${depthMax}`));
    return nothing;
  }
  if (isMap(node)) {
    const entries = new Map<string, LocatedEntry>();
    for (const pair of node.items) {
      const key = pair.key as Node;
      const keyOrigin = origin(key.range?.[0] ?? 0);
      if (!isScalar(key)) problems.push(problemAt(keyOrigin, "a key must be plain text"));
      else entries.set(String(key.value), { key: keyOrigin, value: locateValue(pair.value, keyOrigin) });
    }
    return { kind: "map", origin: at, entries };
  }
  if (isSeq(node)) {
    return { kind: "list", origin: at, items: node.items.map((item) => locateValue(item, at)) };
  }
  if (isAlias(node)) problems.push(problemAt(at, "aliases are not supported; use extends"));
  if (isScalar(node)) {
    const { value } = node;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) {
      return { kind: "scalar", origin: at, value };
    }
    problems.push(problemAt(at, "only text, numbers, true, false, lists and maps are understood"));
  }
  return nothing;

  function locateValue(value: unknown, whenEmpty: Origin): Located {
    if (value === null || value === undefined) return { kind: "scalar", origin: whenEmpty, value: null };
    return locate(value as Node, origin, problems, depth + 1);
  }
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] as string;
}
