import { statfsSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "./files/make-folder.ts";
import { isWhole } from "./jars/jar-folder.ts";
import { jarFolder } from "./jars/fetch-jars.ts";
import { findPrerequisites, type Prerequisites } from "./prerequisites/find-prerequisites.ts";
import { knownNodes } from "./recipes/cassandra.ts";
import type { ServerProgram } from "./recipes/recipe.ts";
import { recipes } from "./recipes/recipes.ts";
import type { StackTools, StartRun } from "./run-context.ts";
import { folderError, StackError } from "./stack-error.ts";
import type { StackFile } from "./stack-file.ts";
import { obtainSecrets } from "./stack-secrets.ts";
import { StackState } from "./stack-state.ts";
import { checkServers, reserveServerPorts, startServers } from "./start-servers.ts";
import { endStarted, jarStoreOf, startStore, type StoreParts } from "./start-store.ts";
import { interruptedError } from "./start-process.ts";
import { processesOf, runsWholly } from "./store-processes.ts";
import type { PartName, StoreName } from "./versions.ts";
import { withFolderLock } from "./with-folder-lock.ts";

export interface StartStackOptions extends StackTools {
  /** Absolute. */
  readonly directory: string;
  readonly stores: readonly StoreName[];
  /** undefined = as many as the folder's data has, else one. */
  readonly cassandraNodes: number | undefined;
  /** Take free ports from anywhere, not those next to the usual ones. */
  readonly anyPort: boolean;
  /** Servers of msgr on the stores, behind nginx; undefined = as many as are on record. */
  readonly serverCount: number | undefined;
  readonly serverProgram: ServerProgram;
  /** host:port of the server that nginx stands in front of when none is part of the stack. */
  readonly otherServer: string;
  /** Brings the schemas to this version, before the servers start; answers what was done, for people. */
  readonly applyMigrations: () => Promise<string>;
  /** `makeUp` answers so many random bytes as hex digits: secrets. */
  readonly makeUp: (bytes: number) => string;
}

const freeBytesMin = 512 * 1024 * 1024;

/**
 * Brings up what does not run and adopts what does; all of it answers when it resolves. First the stores, then the schemas
 * if there are servers, then nginx, then the servers. If one cannot be started, everything that this call has started is
 * ended again and the first error is thrown (StackError). A second call in between waits.
 */
export async function startStack(options: StartStackOptions): Promise<StackFile> {
  const directory = prepareFolder(options.directory, options.cache);
  return await withFolderLock(directory, options, async () => {
    const state = new StackState(directory);
    const controller = new AbortController();
    const signal = AbortSignal.any([options.signal, controller.signal]);
    const cassandraNodes = options.cassandraNodes ?? knownNodes(directory) ?? 1;
    const serverCount = options.serverCount ?? processesOf(state.file, "server").length;
    const sizes = { cassandraNodes, serverCount };
    const run: StartRun = { ...options, ...sizes, signal, state, takenPorts: new Set(), started: [] };
    checkServers(run, options.stores);
    const parts = await findParts(options, run);
    for (const port of otherPorts(state.file, [...options.stores, "server"])) run.takenPorts.add(port);
    const failures: unknown[] = [];
    const attempt = async (part: PartName, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // Those that were given up because of the first have nothing to say.
        if (!signal.aborted) options.reporter.failed(part);
        failures.push(error);
        controller.abort();
      }
    };
    const start = (store: StoreName) => attempt(store, () => startStore(recipes[store], parts, run));
    await Promise.all(options.stores.filter((store) => store !== "nginx").map(start));
    if (failures.length === 0) await attempt("server", () => prepareServers(options, run));
    if (failures.length === 0 && options.stores.includes("nginx")) await start("nginx");
    if (failures.length === 0) await attempt("server", () => startServers(parts, run));
    if (failures.length === 0) return state.file;
    await endStarted(recipes.server, run);
    await Promise.all(options.stores.map((store) => endStarted(recipes[store], run)));
    throw options.signal.aborted ? interruptedError() : folderError(failures[0], directory);
  });
}

/** One look at the machine for everything that has to be started: what is missing is said at once. */
async function findParts(options: StartStackOptions, run: StartRun): Promise<StoreParts> {
  const { state } = run;
  const look = (stores: readonly StoreName[]): Promise<Prerequisites> =>
    findPrerequisites(
      stores,
      stores.some((store) => lacksJars(store, options.cache)),
      options.variables,
    );
  const toStart = options.stores.filter((store) => !runsWholly(state.file, store, run));
  const tools = await look(toStart);
  const secrets = obtainSecrets(state.directory, options.makeUp);
  return {
    secrets,
    // A server needs nothing of the machine but what runs this.
    toolsFor: async (part) => (part === "server" || toStart.includes(part) ? tools : await look([part])),
  };
}

function lacksJars(store: StoreName, cache: string): boolean {
  const jarStore = jarStoreOf(store);
  return jarStore !== undefined && !isWhole(jarFolder(cache, jarStore));
}

/** The schemas of what the servers stand on, and the ports that nginx will find them at. */
async function prepareServers({ applyMigrations, reporter }: StartStackOptions, run: StartRun): Promise<void> {
  if (run.serverCount === 0) return;
  reporter.progress("server", "bringing the schemas up to date");
  reporter.note(`migrate up: ${await applyMigrations()}`);
  await reserveServerPorts(run);
}

/** Ports of the folder's other parts: they may be stopped now, and want theirs back later. */
function otherPorts(file: StackFile, parts: readonly PartName[]): readonly number[] {
  return Object.entries(file.ports ?? {})
    .filter(([name]) => !parts.some((part) => part === name.split(".")[0]))
    .map(([, port]) => port);
}

/** Programs put these paths into lists, quotes and patterns of their own, each with other rules. */
const unsafeCharacters = /[:,;"'$\\*\s#{}]/;

function prepareFolder(directory: string, cache: string): string {
  for (const folder of [directory, cache]) {
    const [bad] = unsafeCharacters.exec(folder) ?? [];
    if (bad === undefined) continue;
    const fix = "Name a folder of letters, digits, dots, dashes and slashes with --directory (cache: XDG_CACHE_HOME).";
    throw new StackError(
      "configuration",
      `The stores cannot live in ${folder}: ${JSON.stringify(bad)} is in its name.`,
      fix,
    );
  }
  try {
    // Others may pass through, so that a program that does not run as root can; each part is closed by itself.
    makeFolder(directory, 0o711);
    makeFolder(path.join(directory, "logs"), 0o700);
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize >= freeBytesMin) return directory;
    const free = Math.floor((bavail * bsize) / 1024 / 1024);
    const fix = "Make room, or name a folder on another disk with --directory.";
    throw new StackError("failed", `The disk of ${directory} has ${free} MB left; the stores want 512.`, fix);
  } catch (error) {
    throw folderError(error, directory);
  }
}
