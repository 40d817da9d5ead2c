import { choosePorts } from "./choose-ports.ts";
import { fetchJars } from "./jars/fetch-jars.ts";
import type { JarStore } from "./jars/pom.ts";
import type { Prerequisites } from "./prerequisites/find-prerequisites.ts";
import { isRunning } from "./processes/recorded-process.ts";
import { loopback, type Recipe, type RecipeContext } from "./recipes/recipe.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import type { StackSecrets } from "./stack-secrets.ts";
import { adoptProcess, end, StartConflict, startProcess } from "./start-process.ts";
import { processCount, processesOf, runsWholly } from "./store-processes.ts";
import { type PartName, partOf } from "./versions.ts";

export interface StoreParts {
  readonly toolsFor: (part: PartName) => Promise<Prerequisites>;
  readonly secrets: StackSecrets;
}

export function jarStoreOf(part: PartName): JarStore | undefined {
  return part === "cassandra" || part === "kafka" || part === "s3" ? part : undefined;
}

const attemptsMax = 3;
const againAfterMs = 500;

/** Brings one part up, with all of its processes; its settings are on record when it answers. */
export async function startStore(recipe: Recipe, parts: StoreParts, run: StartRun): Promise<void> {
  const { part } = recipe;
  // What a killed process left behind may hold its port.
  for (const process of processesOf(run.state.file, part)) if (!isRunning(process)) await end(recipe, process, run);
  if (await adoptStore(recipe, parts, run)) return;
  const tools = await parts.toolsFor(part);
  const jars = await jarsFor(part, run);
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
      run.reporter.progress(part, `${why}: once more`);
      if (!error.isOfPort) for (const need of recipe.ports(processCount(part, run))) freePort(need.name, run);
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

async function jarsFor(part: PartName, run: StartRun): Promise<ReadonlyMap<JarStore, string>> {
  const jarStore = jarStoreOf(part);
  if (jarStore === undefined) return new Map();
  const { cache, variables, sleep, signal, reporter } = run;
  const onProgress = (text: string): void => reporter.progress(part, text);
  return new Map([[jarStore, await fetchJars(jarStore, { cache, variables, sleep, signal, onProgress })]]);
}

/** A store that runs with all of its processes needs nothing of what starting it takes. */
async function adoptStore(recipe: Recipe, { secrets }: StoreParts, run: StartRun): Promise<boolean> {
  const { state, cassandraNodes } = run;
  if (!runsWholly(state.file, recipe.part, run)) return false;
  const processes = processesOf(state.file, recipe.part);
  const adopted = await Promise.all(processes.map((process) => adoptProcess(recipe, process, run)));
  if (!adopted.every(Boolean)) return false;
  const ports = new Map(Object.entries(state.file.ports ?? {}));
  state.addSettings(recipe.settings({ ports, secrets, cassandraNodes, settings: state.file.settings }));
  const addresses = processes.map(({ address }) => address);
  run.reporter.ready(recipe.part, "adopted", addresses);
  return true;
}

async function tryToStart(
  recipe: Recipe,
  parts: Pick<RecipeContext, "secrets" | "tools" | "jars">,
  run: StartRun,
): Promise<void> {
  const { state, cassandraNodes, serverCount, serverProgram, variables, signal, reporter } = run;
  const ports = await choosePorts(recipe.ports(processCount(recipe.part, run)), runningIn(recipe.part, run), run);
  const { directory } = state;
  const { settings } = state.file;
  const servers = serversBehind(run);
  const sizes = { cassandraNodes, serverCount, serverProgram };
  const context: RecipeContext = { ...parts, ...sizes, directory, ports, servers, settings, variables, signal };
  const planned = await recipe.prepare(context, (text) => reporter.progress(recipe.part, text));
  state.rememberPorts(ports);
  // One after the other: nodes of Cassandra that join at once refuse each other.
  for (const process of planned) await startProcess(recipe, process, run);
  state.addSettings(recipe.settings(context));
  const addresses = planned.map(({ address }) => `${address.host}:${address.port}`);
  reporter.ready(recipe.part, "started", addresses);
}

/** Names of the part's processes that run. */
export function runningIn(part: PartName, { state }: Pick<StartRun, "state">): ReadonlySet<string> {
  return new Set(
    processesOf(state.file, part)
      .filter(isRunning)
      .map(({ name }) => name),
  );
}

/** Whom nginx stands in front of, host:port: the servers of the stack, by the ports they have or will have. */
export function serversBehind({ state, serverCount, otherServer }: StartRun): readonly string[] {
  if (serverCount === 0) return [otherServer];
  const numbers = Array.from({ length: serverCount }, (_, at) => at + 1);
  return numbers.map((number) => `${loopback}:${state.file.ports?.[`server.${number}`]}`);
}

/** Ends what this run has started of a store. */
export async function endStarted(recipe: Recipe, run: StartRun): Promise<void> {
  const own = run.started.filter(({ name }) => partOf(name) === recipe.part);
  await Promise.all(own.map((process) => end(recipe, process, run)));
  for (const process of own) run.started.splice(run.started.indexOf(process), 1);
}
