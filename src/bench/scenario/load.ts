import { dirname, join } from "node:path";
import { addFaults } from "./added-faults.ts";
import { checkScenario } from "./checks.ts";
import { type Complaint, complaintsOf, locateComplaint } from "./issues.ts";
import { type Located, type LocatedMap, merge, setAt, toPlain } from "./located.ts";
import { readPhases, untilFaults } from "./phases.ts";
import { formatProblem, type Problem, problemAt } from "./problem.ts";
import { readWorkload } from "./workload.ts";
import { readYaml } from "./read-yaml.ts";
import { type Scenario, scenarioSchema, type Workload } from "./schema.ts";

/**
 * A scenario file → a checked Scenario, or everything that is wrong with it at once. Reading files is the caller's:
 * `readText` gets a path (of `extends`: relative to the file that names it) and may throw.
 */
export type LoadScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface LoadScenarioOptions {
  /** `path=value` each, in order; the value is YAML. */
  readonly sets?: readonly string[];
  /** Faults beside the scenario's own, before `sets` (added-faults.ts). */
  readonly faults?: readonly string[];
}

const extendsDepthMax = 8;

export function loadScenario(
  file: string,
  readText: (path: string) => string,
  options: LoadScenarioOptions = {},
): LoadScenario {
  const problems: Problem[] = [];
  let root: Located | undefined = readFile(file, readText, [], problems);
  if (root === undefined) return { ok: false, problems };
  const added = addFaults(root, options.faults ?? []);
  problems.push(...added.problems);
  root = added.root;
  for (const assignment of options.sets ?? []) root = applySet(root, assignment, problems);
  const result = validate(root, problems, (options.faults ?? []).length > 0);
  return result === undefined ? { ok: false, problems: inOrder(problems) } : { ok: true, scenario: result };
}

/** The problems as text, one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

function readFile(
  file: string,
  readText: (path: string) => string,
  chain: readonly string[],
  problems: Problem[],
): Located | undefined {
  const start = { file, line: 1, column: 1 };
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    problems.push(problemAt(start, `cannot be read: ${error instanceof Error ? error.message : String(error)}`));
    return undefined;
  }
  const parsed = readYaml(text, file);
  if (!parsed.ok) {
    problems.push(...parsed.problems);
    return undefined;
  }
  if (parsed.node.kind !== "map") {
    problems.push(problemAt(parsed.node.origin, "a scenario is a map of keys"));
    return undefined;
  }
  return extend(parsed.node, file, readText, chain, problems);
}

function extend(
  node: LocatedMap,
  file: string,
  readText: (path: string) => string,
  chain: readonly string[],
  problems: Problem[],
): Located | undefined {
  const parent = node.entries.get("extends")?.value;
  if (parent === undefined) return node;
  const own: LocatedMap = { ...node, entries: new Map([...node.entries].filter(([key]) => key !== "extends")) };
  if (parent.kind !== "scalar" || typeof parent.value !== "string") {
    problems.push(problemAt(parent.origin, "extends: expected the name of a file"));
    return own;
  }
  const path = join(dirname(file), parent.value);
  if ([...chain, file].includes(path)) {
    problems.push(problemAt(parent.origin, `extends: ${[...chain, file, path].join(" → ")} is a circle`));
    return own;
  }
  if (chain.length >= extendsDepthMax) {
    problems.push(problemAt(parent.origin, `extends: more than ${extendsDepthMax} files deep`));
    return own;
  }
  const base = readFile(path, readText, [...chain, file], problems);
  return base === undefined ? undefined : merge(base, own);
}

function applySet(root: Located, assignment: string, problems: Problem[]): Located {
  const equals = assignment.indexOf("=");
  const start = { file: `--set ${assignment}`, line: 1, column: 1 };
  if (equals < 1) {
    problems.push(problemAt(start, "write --set path=value, as in load.beat.rate=500/s"));
    return root;
  }
  const value = readYaml(assignment.slice(equals + 1), start.file);
  if (!value.ok) {
    problems.push(...value.problems.map((problem) => ({ ...problem, column: problem.column + equals + 1 })));
    return root;
  }
  const changed = setAt(root, assignment.slice(0, equals).trim().split("."), value.node);
  if (typeof changed !== "string") return changed;
  problems.push(problemAt(start, changed));
  return root;
}

function validate(root: Located, problems: Problem[], hasAddedFaults: boolean): Scenario | undefined {
  const complaints: Complaint[] = [];
  const parsed = scenarioSchema.safeParse(toPlain(root));
  if (!parsed.success) complaints.push(...complaintsOf(parsed.error, root));
  const workloads: Workload[] = [];
  const load = root.kind === "map" ? root.entries.get("load")?.value : undefined;
  for (const name of load?.kind === "map" ? load.entries.keys() : []) {
    const read = readWorkload(root, name);
    if (read.ok) workloads.push(read.workload);
    else complaints.push(...read.complaints);
  }
  let scenario: Scenario | undefined;
  if (parsed.success) {
    const { load: _, ...rest } = parsed.data;
    const read = readPhases(parsed.data, complaints);
    scenario = { ...rest, ...(hasAddedFaults ? untilFaults(read, parsed.data) : read), workloads };
    // Only a scenario whose parts are sound can be asked whether they fit.
    if (complaints.length === 0) complaints.push(...checkScenario(scenario));
  }
  problems.push(...complaints.map((complaint) => locateComplaint(root, complaint)));
  return problems.length === 0 ? scenario : undefined;
}

/** By file and place, as an editor lists them; each only once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...distinct.values()].sort(
    (one, other) => one.file.localeCompare(other.file) || one.line - other.line || one.column - other.column,
  );
}
