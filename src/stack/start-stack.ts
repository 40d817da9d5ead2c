import { statfsSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "./files/make-folder.ts";
import { isWhole } from "./jars/jar-folder.ts";
import { jarFolder } from "./jars/fetch-jars.ts";
import { findPrerequisites, type Prerequisites } from "./prerequisites/find-prerequisites.ts";
import { knownNodes } from "./recipes/cassandra.ts";
import { recipes } from "./recipes/recipes.ts";
import type { StackTools, StartRun } from "./run-context.ts";
import { folderError, StackError } from "./stack-error.ts";
import type { StackFile } from "./stack-file.ts";
import { obtainSecrets } from "./stack-secrets.ts";
import { StackState } from "./stack-state.ts";
import { endStarted, jarStoreOf, startStore, type StoreParts } from "./start-store.ts";
import { interruptedError } from "./start-process.ts";
import { runsWholly } from "./store-processes.ts";
import type { StoreName } from "./versions.ts";
import { withFolderLock } from "./with-folder-lock.ts";

export interface StartStackOptions extends StackTools {
  /** Absolute. */
  readonly directory: string;
  readonly stores: readonly StoreName[];
  /** undefined = as many as the folder's data has, else one. */
  readonly cassandraNodes: number | undefined;
  /** Take free ports from anywhere, not those next to the usual ones. */
  readonly anyPort: boolean;
  /** Servers behind nginx, host:port. */
  readonly servers: readonly string[];
  /** `makeUp` answers so many random bytes as hex digits: secrets. */
  readonly makeUp: (bytes: number) => string;
}

const freeBytesMin = 512 * 1024 * 1024;

/**
 * Brings the stores up that do not run and adopts those that do; all of them answer when it resolves. If one cannot be
 * started, everything that this call has started is ended again and the first error is thrown (StackError). A second
 * call in between waits.
 */
export async function startStack(options: StartStackOptions): Promise<StackFile> {
  const directory = prepareFolder(options.directory, options.cache);
  return await withFolderLock(directory, options, async () => {
    const state = new StackState(directory);
    const controller = new AbortController();
    const signal = AbortSignal.any([options.signal, controller.signal]);
    const cassandraNodes = options.cassandraNodes ?? knownNodes(directory) ?? 1;
    const run: StartRun = { ...options, signal, state, cassandraNodes, takenPorts: new Set(), started: [] };
    const parts = await findParts(options, run);
    for (const name of otherPorts(state.file, options.stores)) run.takenPorts.add(name);
    const failures: unknown[] = [];
    const start = async (store: StoreName): Promise<void> => {
      try {
        await startStore(recipes[store], parts, run);
      } catch (error) {
        // Those that were given up because of the first have nothing to say.
        if (!signal.aborted) options.reporter.failed(store);
        failures.push(error);
        controller.abort();
      }
    };
    await Promise.all(options.stores.map(start));
    if (failures.length === 0) return state.file;
    await Promise.all(options.stores.map((store) => endStarted(recipes[store], run)));
    throw options.signal.aborted ? interruptedError() : folderError(failures[0], directory);
  });
}

/** One look at the machine for everything that has to be started: what is missing is said at once. */
async function findParts(options: StartStackOptions, { state, cassandraNodes }: StartRun): Promise<StoreParts> {
  const look = (stores: readonly StoreName[]): Promise<Prerequisites> =>
    findPrerequisites(
      stores,
      stores.some((store) => lacksJars(store, options.cache)),
      options.variables,
    );
  const toStart = options.stores.filter((store) => !runsWholly(state.file, store, cassandraNodes));
  const tools = await look(toStart);
  const secrets = obtainSecrets(state.directory, options.makeUp);
  return { secrets, toolsFor: async (store) => (toStart.includes(store) ? tools : await look([store])) };
}

function lacksJars(store: StoreName, cache: string): boolean {
  const jarStore = jarStoreOf(store);
  return jarStore !== undefined && !isWhole(jarFolder(cache, jarStore));
}

/** Ports of the folder's other stores: they may be stopped now, and want theirs back later. */
function otherPorts(file: StackFile, stores: readonly StoreName[]): readonly number[] {
  return Object.entries(file.ports ?? {})
    .filter(([name]) => !stores.some((store) => store === name.split(".")[0]))
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
