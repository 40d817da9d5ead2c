import type { Located, LocatedList, LocatedMap } from "./located.ts";
import { type Origin, type Problem, problemAt } from "./problem.ts";
import { readYaml } from "./read-yaml.ts";

/**
 * Faults that are added to a scenario which knows nothing of them (`--fault`): each is a line such as
 * `server.kill which=server-1 at=5s for=1s`, its first word what to do, the others keys and values of an entry of `faults:`,
 * with the same checks.
 */
export interface AddedFaults {
  readonly root: Located;
  readonly problems: readonly Problem[];
}

/**
 * The scenario with the faults after its own. Its thresholds are for a run in which nothing breaks, and are left out; the
 * load lasts until the faults are over (phases.ts).
 */
export function addFaults(root: Located, texts: readonly string[]): AddedFaults {
  if (texts.length === 0 || root.kind !== "map") return { root, problems: [] };
  const problems: Problem[] = [];
  const own = root.entries.get("faults");
  const added = texts.map((text) => readFault(text, problems));
  const before = own?.value.kind === "list" ? own.value.items : [];
  const list: LocatedList = { kind: "list", origin: own?.value.origin ?? root.origin, items: [...before, ...added] };
  const entries = new Map(root.entries).set("faults", { key: own?.key ?? root.origin, value: list });
  entries.delete("thresholds");
  return { root: { ...root, entries }, problems };
}

function readFault(text: string, problems: Problem[]): LocatedMap {
  const file = `--fault ${text}`;
  const entries: LocatedMap["entries"] = new Map();
  const made = entries as Map<string, { readonly key: Origin; readonly value: Located }>;
  for (const found of text.matchAll(/\S+/g)) {
    const origin = { file, line: 1, column: found.index + 1 };
    const [word] = found;
    const equals = word.indexOf("=");
    const key = equals < 0 ? "do" : word.slice(0, equals);
    if (key === "" || made.has(key) || (equals < 0 && made.size > 0)) {
      problems.push(problemAt(origin, `write it as in ${example}`));
      continue;
    }
    const value = readYaml(word.slice(equals + 1), file);
    if (value.ok)
      made.set(key, {
        key: origin,
        value: { ...value.node, origin: { ...origin, column: origin.column + equals + 1 } },
      });
    else
      problems.push(
        ...value.problems.map((problem) => ({ ...problem, column: problem.column + origin.column + equals })),
      );
  }
  return { kind: "map", origin: { file, line: 1, column: 1 }, entries };
}

const example = '"server.kill which=server-1 at=5s for=1s"';
