import { endProcess } from "./processes/end-process.ts";
import { recipes } from "./recipes/recipes.ts";
import type { StackTools } from "./run-context.ts";
import { readStackFile, type StackProcess } from "./stack-file.ts";
import { StackState } from "./stack-state.ts";
import { endGraceMs } from "./start-process.ts";
import { type StoreName, storeNames, storeOf } from "./versions.ts";
import { withFolderLock } from "./with-folder-lock.ts";

export interface StopStackOptions extends Pick<StackTools, "sleep" | "signal" | "reporter"> {
  readonly directory: string;
  readonly stores: readonly StoreName[];
}

export interface StoppedProcess {
  readonly name: string;
  readonly pid: number;
  /** `killed`: it did not end when asked to; `absent`: it was gone already. */
  readonly how: "ended" | "killed" | "absent";
}

/** Ends the processes of these stores; the data stays. Calling it twice does no harm. */
export async function stopStack(options: StopStackOptions): Promise<readonly StoppedProcess[]> {
  if (readStackFile(options.directory) === undefined) return [];
  return await withFolderLock(options.directory, options, () => stopProcesses(options));
}

async function stopProcesses({
  directory,
  stores,
  sleep,
  reporter,
}: StopStackOptions): Promise<readonly StoppedProcess[]> {
  const state = new StackState(directory);
  // In the order of the table, so that the output is the same each time.
  const processes = storeNames
    .filter((store) => stores.includes(store))
    .flatMap((store) => state.file.processes.filter(({ name }) => storeOf(name) === store));
  const stop = async (process: StackProcess): Promise<StoppedProcess> => {
    const { name, pid } = process;
    const store = storeOf(name) as StoreName;
    const signal = recipes[store].stopSignal;
    const how = await endProcess(process, { signal, graceMs: endGraceMs, directory, sleep });
    state.remove(name);
    reporter.progress(store, `${name}: ${how}`);
    return { name, pid, how };
  };
  return await Promise.all(processes.map(stop));
}
