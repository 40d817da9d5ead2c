import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What proc(5) tells about a process. Everything here answers undefined or nothing elsewhere than on Linux. */
export interface LinuxProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Since the boot. */
  readonly startTicks: number;
}

/** Undefined if it is gone, or dead and only waits to be reaped. */
export function linuxProcess(pid: number): LinuxProcess | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in field 2 may contain anything, also blanks and brackets.
    const [state, parent, group, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    return { pid, parent: Number(parent), group: Number(group), startTicks: Number(rest[16]) };
  } catch {
    return undefined;
  }
}

export function linuxProcesses(): readonly LinuxProcess[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => linuxProcess(Number(name)))
    .filter((found) => found !== undefined);
}

export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
