import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { linuxProcess, linuxProcesses } from "./linux-processes.ts";

/** What a process of the stack takes, together with those it started. */
export interface ProcessUsage {
  readonly residentBytes: number;
  readonly uptimeSeconds: number;
}

/** The kernel's unit of process times, on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100;

/** Undefined if the process is gone. */
export function usageOf(pid: number): ProcessUsage | undefined {
  return process.platform === "linux" ? linuxUsage(pid) : psUsage(pid);
}

function linuxUsage(pid: number): ProcessUsage | undefined {
  const found = linuxProcess(pid);
  if (found === undefined) return undefined;
  const uptime = Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
  const children = linuxProcesses().filter(({ parent }) => parent === pid);
  const residentBytes = children.reduce((sum, child) => sum + resident(child.pid, "own"), resident(pid, "all"));
  return { residentBytes, uptimeSeconds: Math.max(0, Math.round(uptime - found.startTicks / ticksPerSecond)) };
}

/** Children count without shared memory: PostgreSQL's have one buffer, which each of them would count again. */
function resident(pid: number, part: "all" | "own"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const bytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) * 1024;
    return part === "all" ? bytes("VmRSS") : bytes("RssAnon");
  } catch {
    return 0;
  }
}

function psUsage(pid: number): ProcessUsage | undefined {
  try {
    const text = execFileSync("ps", ["-o", "rss=,etime=", "-p", String(pid)], { encoding: "utf8" });
    const [kilobytes = "0", elapsed = "0:00"] = text.trim().split(/\s+/);
    return { residentBytes: Number(kilobytes) * 1024, uptimeSeconds: elapsedSeconds(elapsed) };
  } catch {
    return undefined;
  }
}

/** `[[days-]hours:]minutes:seconds`, as ps prints it. */
export function elapsedSeconds(text: string): number {
  const [days, clock] = text.includes("-") ? text.split("-") : ["0", text];
  const seconds = (clock ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + seconds;
}
