import { choosePorts } from "./choose-ports.ts";
import { isRunning } from "./processes/recorded-process.ts";
import { recipes } from "./recipes/recipes.ts";
import { serversMax } from "./recipes/server.ts";
import { refreshProxy } from "./refresh-proxy.ts";
import type { StartRun } from "./run-context.ts";
import { StackError } from "./stack-error.ts";
import { runningIn, startStore, type StoreParts } from "./start-store.ts";
import { end } from "./start-process.ts";
import { processesOf } from "./store-processes.ts";
import type { StoreName } from "./versions.ts";

/** Large groups need Kafka too; without it they are refused, and the rest works. */
const needed: readonly StoreName[] = ["cassandra", "postgres", "redis", "s3"];

/** Throws StackError when the servers would lack a store. `coming`: stores that this run brings up. */
export function checkServers({ state, serverCount }: StartRun, coming: readonly StoreName[]): void {
  if (serverCount > serversMax) {
    throw new StackError("configuration", `${serverCount} servers are too many.`, `Start up to ${serversMax}.`);
  }
  const has = (store: StoreName): boolean => coming.includes(store) || processesOf(state.file, store).some(isRunning);
  const missing = serverCount === 0 ? [] : needed.filter((store) => !has(store));
  if (missing.length === 0) return;
  throw new StackError(
    "configuration",
    `Servers need ${missing.join(", ")}, which would not run.`,
    "Name them in --only too, or leave --only out.",
  );
}

/**
 * Gives the servers the ports that nginx is to know before they run: it is up first, because they have to know where
 * clients read media.
 */
export async function reserveServerPorts(run: StartRun): Promise<void> {
  const needs = recipes.server.ports(run.serverCount);
  run.state.rememberPorts(await choosePorts(needs, runningIn("server", run), run));
}

/** Brings the servers up, makes nginx balance over just these, then ends those that are too many. */
export async function startServers(parts: StoreParts, run: StartRun): Promise<void> {
  const { state, serverCount } = run;
  // Reserved by this run, for just this.
  for (const { name } of recipes.server.ports(serverCount)) run.takenPorts.delete(state.file.ports?.[name] ?? 0);
  if (serverCount > 0) await startStore(recipes.server, parts, run);
  await refreshProxy(run);
  const tooMany = processesOf(state.file, "server").filter(({ name }) => Number(name.split("-")[1]) > serverCount);
  for (const process of tooMany) await end(recipes.server, process, run);
}
