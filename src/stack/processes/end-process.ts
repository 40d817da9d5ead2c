import path from "node:path";
import { linuxProcesses, workingDirectoryOf } from "./linux-processes.ts";
import { isRunning, type RecordedProcess } from "./recorded-process.ts";

export interface EndOptions {
  /** What asks this program to finish what it has begun. */
  readonly signal: "SIGTERM" | "SIGINT" | "SIGQUIT";
  /** It is killed after this. */
  readonly graceMs: number;
  /** The stack's folder. */
  readonly directory: string;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

const pollMs = 50;
const killGraceMs = 5_000;

/**
 * Ends a recorded process and what it started; never another one that has got its pid since. Answers how it went:
 * `absent` = it was not running. Throws if it survives SIGKILL (a disk that does not answer).
 */
export async function endProcess(
  recorded: RecordedProcess,
  options: EndOptions,
): Promise<"ended" | "killed" | "absent"> {
  const { pid } = recorded;
  if (!isRunning(recorded)) {
    await killOrphans(pid, options);
    return "absent";
  }
  send(pid, options.signal);
  if (await isGone(recorded, options.graceMs, options.sleep)) {
    await killOrphans(pid, options);
    return "ended";
  }
  // It leads its group, so that nobody else's processes are in it.
  send(-pid, "SIGKILL");
  send(pid, "SIGKILL");
  if (!(await isGone(recorded, killGraceMs, options.sleep))) throw new Error(`Process ${pid} does not end.`);
  return "killed";
}

async function isGone(recorded: RecordedProcess, withinMs: number, sleep: EndOptions["sleep"]): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += pollMs) {
    if (!isRunning(recorded)) return true;
    await sleep(pollMs);
  }
  return !isRunning(recorded);
}

/** nginx's workers outlive a killed master and keep its port. A group with members keeps its number, and ours live in our folder. */
async function killOrphans(group: number, { directory, sleep }: EndOptions): Promise<void> {
  const orphans = (): readonly number[] => orphansOf(group, directory);
  for (const pid of orphans()) send(pid, "SIGKILL");
  for (let waitedMs = 0; waitedMs < killGraceMs && orphans().length > 0; waitedMs += pollMs) await sleep(pollMs);
}

function orphansOf(group: number, directory: string): readonly number[] {
  const members = linuxProcesses().filter((found) => found.group === group);
  if (members.some(({ pid }) => pid === group)) return [];
  return members.map(({ pid }) => pid).filter((pid) => isBelow(workingDirectoryOf(pid), directory));
}

function isBelow(folder: string | undefined, directory: string): boolean {
  return folder !== undefined && !path.relative(directory, folder).startsWith("..");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
