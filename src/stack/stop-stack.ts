import { endProcess } from "./processes/end-process.ts";
import { recipes } from "./recipes/recipes.ts";
import type { StackTools } from "./run-context.ts";
import { readStackFile, type StackProcess } from "./stack-file.ts";
import { StackState } from "./stack-state.ts";
import { endGraceMs } from "./start-process.ts";
import { type PartName, partNames, partOf } from "./versions.ts";
import { processesOf } from "./store-processes.ts";
import { withFolderLock } from "./with-folder-lock.ts";

export interface StopStackOptions extends Pick<StackTools, "sleep" | "signal" | "reporter"> {
  readonly directory: string;
  readonly parts: readonly PartName[];
}

export interface StoppedProcess {
  readonly name: string;
  readonly pid: number;
  /** `killed`: it did not end when asked to; `absent`: it was gone already. */
  readonly how: "ended" | "killed" | "absent";
}

/** Ends the processes of these parts, servers before what they stand on; the data stays. Calling it twice does no harm. */
export async function stopStack(options: StopStackOptions): Promise<readonly StoppedProcess[]> {
  if (readStackFile(options.directory) === undefined) return [];
  return await withFolderLock(options.directory, options, () => stopProcesses(options));
}

async function stopProcesses({
  directory,
  parts,
  sleep,
  reporter,
}: StopStackOptions): Promise<readonly StoppedProcess[]> {
  const state = new StackState(directory);
  const stop = async (process: StackProcess): Promise<StoppedProcess> => {
    const { name, pid } = process;
    const part = partOf(name) as PartName;
    const signal = recipes[part].stopSignal;
    const how = await endProcess(process, { signal, graceMs: endGraceMs, directory, sleep });
    state.remove(name);
    reporter.progress(part, `${name}: ${how}`);
    return { name, pid, how };
  };
  // In the order of the table, so that the output is the same each time.
  const chosen = partNames.filter((part) => parts.includes(part)).flatMap((part) => processesOf(state.file, part));
  const servers = await Promise.all(chosen.filter(({ name }) => partOf(name) === "server").map(stop));
  const others = await Promise.all(chosen.filter(({ name }) => partOf(name) !== "server").map(stop));
  return [...servers, ...others];
}
