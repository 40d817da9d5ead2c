import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { livenessOf, ownIdentity } from "../../base/process-identity.ts";

/** A process that somebody else has started and recorded; its pid alone would prove nothing later on. */
export interface RecordedProcess {
  readonly pid: number;
  /** Boot of the machine and start within it, as the stack's file has it. */
  readonly startedAt: string;
}

/** Whether that very process runs; another one with its pid does not count. */
export function isRunning({ pid, startedAt }: RecordedProcess): boolean {
  const self = ownIdentity();
  const at = startedAt.indexOf(" ");
  const other = { pid, boot: startedAt.slice(0, at), startedAt: startedAt.slice(at + 1), namespace: self.namespace };
  return livenessOf(other, self) === "running";
}

/**
 * Sends a signal to a recorded process and all that descend from it: PostgreSQL serves from children that lead sessions of
 * their own. The root first, so that it starts no others meanwhile. Answers false, and sends nothing, when it is gone.
 */
export function signalTree(root: RecordedProcess, signal: NodeJS.Signals): boolean {
  if (!isRunning(root)) return false;
  send(root.pid, signal);
  for (const pid of descendantsOf(root.pid)) send(pid, signal);
  return true;
}

/** Those of a process, nearest first. */
function descendantsOf(root: number): readonly number[] {
  const children = Map.groupBy(parents(), ([, parent]) => parent);
  const found: number[] = [];
  for (let next: readonly number[] = [root]; next.length > 0;) {
    next = next.flatMap((pid) => (children.get(pid) ?? []).map(([child]) => child));
    found.push(...next);
  }
  return found;
}

/** pid and parent of every process. */
function parents(): readonly (readonly [pid: number, parent: number])[] {
  if (process.platform !== "linux") {
    const text = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    return text
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        // The name, which may hold anything, ends with the last bracket; the state comes first, then the parent (proc(5)).
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])] as const];
      } catch {
        return [];
      }
    });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
