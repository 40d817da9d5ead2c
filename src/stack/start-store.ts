import { choosePorts } from "./choose-ports.ts";
import { fetchJars } from "./jars/fetch-jars.ts";
import type { JarStore } from "./jars/pom.ts";
import type { Prerequisites } from "./prerequisites/find-prerequisites.ts";
import { isRunning } from "./processes/recorded-process.ts";
import type { Recipe, RecipeContext } from "./recipes/recipe.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import type { StackSecrets } from "./stack-secrets.ts";
import { adoptProcess, end, StartConflict, startProcess } from "./start-process.ts";
import { processesOf, runsWholly } from "./store-processes.ts";
import { type StoreName, storeOf } from "./versions.ts";

export interface StoreParts {
  readonly toolsFor: (store: StoreName) => Promise<Prerequisites>;
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
  // What a killed process left behind may hold its port.
  for (const process of processesOf(run.state.file, store)) if (!isRunning(process)) await end(recipe, process, run);
  if (await adoptStore(recipe, parts, run)) return;
  const tools = await parts.toolsFor(store);
  const jars = await jarsFor(store, run);
  for (let attempt = 1; ; attempt++) {
    try {
      await tryToStart(recipe, { ...parts, tools, jars }, run);
      return;
    } catch (error) {
      if (!(error instanceof StartConflict)) throw error;
      if (attempt === attemptsMax) {
        const fix = "Look with `ss -ltnp` (macOS: `lsof -iTCP -sTCP:LISTEN`) who takes the ports, or use --any-port.";
        throw new StackError("unreachable", error.message, fix, error);
      }
      const why = error.isOfPort ? "its port was taken in the meantime" : "the one before has not quite gone";
      run.reporter.progress(store, `${why}: once more`);
      if (!error.isOfPort) for (const need of recipe.ports(run.cassandraNodes)) freePort(need.name, run);
      await endStarted(recipe, run);
      await run.sleep(againAfterMs);
    }
  }
}

/** The same port again. */
function freePort(name: string, run: StartRun): void {
  const port = run.state.file.ports?.[name];
  if (port !== undefined) run.takenPorts.delete(port);
}

async function jarsFor(store: StoreName, run: StartRun): Promise<ReadonlyMap<JarStore, string>> {
  const jarStore = jarStoreOf(store);
  if (jarStore === undefined) return new Map();
  const { cache, variables, sleep, signal, reporter } = run;
  const onProgress = (text: string): void => reporter.progress(store, text);
  return new Map([[jarStore, await fetchJars(jarStore, { cache, variables, sleep, signal, onProgress })]]);
}

/** A store that runs with all of its processes needs nothing of what starting it takes. */
async function adoptStore(recipe: Recipe, { secrets }: StoreParts, run: StartRun): Promise<boolean> {
  const { state, cassandraNodes } = run;
  if (!runsWholly(state.file, recipe.store, cassandraNodes)) return false;
  const processes = processesOf(state.file, recipe.store);
  const adopted = await Promise.all(processes.map((process) => adoptProcess(recipe, process, run)));
  if (!adopted.every(Boolean)) return false;
  const ports = new Map(Object.entries(state.file.ports ?? {}));
  state.addSettings(recipe.settings({ ports, secrets, cassandraNodes }));
  const addresses = processes.map(({ address }) => address);
  run.reporter.ready(recipe.store, "adopted", addresses);
  return true;
}

async function tryToStart(
  recipe: Recipe,
  parts: Pick<RecipeContext, "secrets" | "tools" | "jars">,
  run: StartRun,
): Promise<void> {
  const { state, cassandraNodes, servers, variables, signal, reporter } = run;
  const held = processesOf(state.file, recipe.store).some(isRunning);
  const ports = await choosePorts(recipe.ports(cassandraNodes), held, run);
  const { directory } = state;
  const context: RecipeContext = { ...parts, directory, ports, cassandraNodes, servers, variables, signal };
  const planned = await recipe.prepare(context, (text) => reporter.progress(recipe.store, text));
  state.rememberPorts(ports);
  // One after the other: nodes of Cassandra that join at once refuse each other.
  for (const process of planned) await startProcess(recipe, process, run);
  state.addSettings(recipe.settings(context));
  const addresses = planned.map(({ address }) => `${address.host}:${address.port}`);
  reporter.ready(recipe.store, "started", addresses);
}

/** Ends what this run has started of a store. */
export async function endStarted(recipe: Recipe, run: StartRun): Promise<void> {
  const own = run.started.filter(({ name }) => storeOf(name) === recipe.store);
  await Promise.all(own.map((process) => end(recipe, process, run)));
  for (const process of own) run.started.splice(run.started.indexOf(process), 1);
}
