import { choosePorts } from "./choose-ports.ts";
import { fetchJars } from "./jars/fetch-jars.ts";
import type { JarStore } from "./jars/pom.ts";
import type { Prerequisites } from "./prerequisites/find-prerequisites.ts";
import { isRunning } from "./processes/recorded-process.ts";
import type { Recipe, RecipeContext } from "./recipes/recipe.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import type { StackSecrets } from "./stack-secrets.ts";
import { end, StartConflict, startProcess } from "./start-process.ts";
import { type StoreName, storeOf } from "./versions.ts";

export interface StoreParts {
  readonly tools: Prerequisites;
  readonly secrets: StackSecrets;
}

export function jarStoreOf(store: StoreName): JarStore | undefined {
  return store === "cassandra" || store === "kafka" || store === "s3" ? store : undefined;
}

const attemptsMax = 3;
const againAfterMs = 500;

/** Brings one store up, with all of its processes; its settings are on record when it answers. */
export async function startStore(recipe: Recipe, parts: StoreParts, run: StartRun): Promise<void> {
  const { store } = recipe;
  const jars = await jarsFor(store, run);
  for (let attempt = 1; ; attempt++) {
    try {
      await tryToStart(recipe, parts, jars, run);
      return;
    } catch (error) {
      if (!(error instanceof StartConflict)) throw error;
      if (attempt === attemptsMax) {
        const fix = "Look with `ss -ltnp` (macOS: `lsof -iTCP -sTCP:LISTEN`) who takes the ports, or use --any-port.";
        throw new StackError("unreachable", error.message, fix, error);
      }
      run.reporter.progress(store, "its port was taken in the meantime: once more");
      await endStarted(recipe, run);
      await run.sleep(againAfterMs);
    }
  }
}

async function jarsFor(store: StoreName, run: StartRun): Promise<ReadonlyMap<JarStore, string>> {
  const jarStore = jarStoreOf(store);
  if (jarStore === undefined) return new Map();
  const { cache, variables, sleep, signal, reporter } = run;
  const onProgress = (text: string): void => reporter.progress(store, text);
  return new Map([[jarStore, await fetchJars(jarStore, { cache, variables, sleep, signal, onProgress })]]);
}

async function tryToStart(
  recipe: Recipe,
  { tools, secrets }: StoreParts,
  jars: ReadonlyMap<JarStore, string>,
  run: StartRun,
): Promise<void> {
  const { state, cassandraNodes, servers, variables, signal, reporter } = run;
  const held = state.file.processes.some((process) => storeOf(process.name) === recipe.store && isRunning(process));
  const ports = await choosePorts(recipe.ports(cassandraNodes), held, run);
  const { directory } = state;
  const context: RecipeContext = { directory, ports, secrets, tools, jars, cassandraNodes, servers, variables, signal };
  const planned = await recipe.prepare(context, (text) => reporter.progress(recipe.store, text));
  state.rememberPorts(ports);
  const how = new Set<"started" | "adopted">();
  // One after the other: nodes of Cassandra that join at once refuse each other.
  for (const process of planned) how.add(await startProcess(recipe, process, run));
  state.addSettings(recipe.settings(context));
  const addresses = planned.map(({ address }) => `${address.host}:${address.port}`);
  reporter.ready(recipe.store, how.has("started") ? "started" : "adopted", addresses);
}

/** Ends what this run has started of a store. */
export async function endStarted(recipe: Recipe, run: StartRun): Promise<void> {
  const own = run.started.filter(({ name }) => storeOf(name) === recipe.store);
  await Promise.all(own.map((process) => end(recipe, process, run)));
  for (const process of own) run.started.splice(run.started.indexOf(process), 1);
}
