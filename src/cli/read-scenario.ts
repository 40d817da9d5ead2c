import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { didYouMean } from "../base/did-you-mean.ts";
import { formatProblems, loadScenario } from "../bench/scenario/load.ts";
import { profiles, type Scenario } from "../bench/scenario/schema.ts";
import { selectOperation } from "../bench/scenario/select-operation.ts";
import { CliError } from "./cli-error.ts";
import type { CommandOption, Invocation } from "./command.ts";

/** Scenarios as the bench commands take them: a file of the user's, or a shipped one by its name. */
export const shippedScenarios = fileURLToPath(new URL("../../scenarios/", import.meta.url));

export const scenarioOptions: readonly CommandOption[] = [
  { flags: "--set <path=value>", description: "change the scenario: load.direct.rate=500/s", repeatable: true },
  { flags: "--seed <n>", description: "the same as --set seed=n" },
  {
    flags: "--profile <name>",
    description: "what the server keeps its data in (target.profile); cluster = the real stores",
    choices: profiles,
  },
  { flags: "--servers <n>", description: "server processes (target.servers); several need the real stores" },
  {
    flags: "--cassandra-nodes <n>",
    description: "nodes of Cassandra (target.cassandra_nodes); three run on a stack of the run's own",
    choices: ["1", "3"],
  },
  {
    flags: "--fault <text>",
    description: "strike while it runs, as faults: does; its thresholds are left out then",
    repeatable: true,
  },
  { flags: "--op <operation>", description: "only the workloads that do this: append, page, message.send, …" },
  { flags: "--workers <n>", description: "load processes; default: one for each core beside the server's" },
];

const workersMax = 256;

/** Throws CliError (usage) with every mistake, each with its place. */
export function readScenario({ arguments: given, options, environment }: Invocation): Scenario {
  const name = String(given["scenario"]);
  const sets = [...((options["set"] ?? []) as string[])];
  if (options["seed"] !== undefined) sets.push(`seed=${String(options["seed"])}`);
  if (options["profile"] !== undefined) sets.push(`target.profile=${String(options["profile"])}`);
  if (options["servers"] !== undefined) sets.push(`target.servers=${String(options["servers"])}`);
  if (options["cassandraNodes"] !== undefined) sets.push(`target.cassandra_nodes=${String(options["cassandraNodes"])}`);
  const faults = (options["fault"] ?? []) as string[];
  const file = scenarioFile(name, environment.workingDirectory);
  const loaded = loadScenario(file, (from) => readFileSync(path.resolve(environment.workingDirectory, from), "utf8"), {
    sets,
    faults,
  });
  if (loaded.ok) return ofOperation(loaded.scenario, options["op"]);
  const mistakes = loaded.problems.length === 1 ? "a mistake" : `${loaded.problems.length} mistakes`;
  throw new CliError("usage", `The scenario has ${mistakes}.\n${formatProblems(loaded.problems)}`);
}

function ofOperation(scenario: Scenario, name: Invocation["options"][string]): Scenario {
  if (typeof name !== "string") return scenario;
  const part = selectOperation(scenario, name);
  if (typeof part === "string") throw new CliError("usage", `--op ${name}: ${part}`);
  return part;
}

export function workersOf(options: Invocation["options"]): number | undefined {
  const { workers } = options;
  if (workers === undefined) return undefined;
  const count = Number(workers);
  if (Number.isInteger(count) && count >= 1 && count <= workersMax) return count;
  throw new CliError("usage", `--workers ${String(workers)}: a whole number from 1 to ${workersMax}.`);
}

export function shippedNames(): readonly string[] {
  return readdirSync(shippedScenarios)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => path.basename(file, ".yaml"))
    .sort();
}

function scenarioFile(name: string, workingDirectory: string): string {
  if (existsSync(path.resolve(workingDirectory, name))) return name;
  const shipped = path.join(shippedScenarios, `${name}.yaml`);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(shipped)) return shipped;
  const guess = didYouMean(path.basename(name, ".yaml"), shippedNames());
  const fix = guess === undefined ? "`msgr bench list` shows the shipped ones." : `Did you mean ${guess}?`;
  throw new CliError("usage", `There is no scenario ${name}: neither a file nor a shipped one.`, { fix });
}
