import { readFileSync } from "node:fs";

/** What a process on this machine has used so far. Linux only; undefined elsewhere, and for a process that is gone. */
export interface ProcessSample {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** sysconf(_SC_CLK_TCK) and the page size, which every Linux that Node runs on has these values for. */
const ticksPerSecond = 100;
const pageBytes = 4_096;

export function sampleProcess(pid: number): ProcessSample | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, which may hold anything, ends with the last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user, system, rssPages] = [fields[11], fields[12], fields[21]].map(Number) as [number, number, number];
    return { cpuSeconds: (user + system) / ticksPerSecond, rssBytes: rssPages * pageBytes };
  } catch {
    return undefined;
  }
}
