import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * Which process a pid meant. Pids are used again, so a pid alone proves nothing: the time the process started tells two
 * holders of one pid apart, the boot the time before a restart of the machine, the namespace the pids of one container
 * from those of another. Empty = not to be had on this system.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
  readonly boot: string;
  readonly namespace: string;
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startedAt: startOf(process.pid) ?? "",
    boot: readOr("", () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: readOr("", () => readlinkSync("/proc/self/ns/pid")),
  };
}

/**
 * Whether that process still runs. `unseen`: it belongs to another pid namespace, from where nothing can be said about
 * it. In doubt it is `running`.
 */
export function livenessOf(other: ProcessIdentity, self: ProcessIdentity): "running" | "gone" | "unseen" {
  if (other.boot !== self.boot) return "gone";
  if (other.namespace !== self.namespace) return "unseen";
  if (!exists(other.pid)) return "gone";
  const startedAt = startOf(other.pid);
  if (startedAt === undefined) return "gone";
  return startedAt === other.startedAt || startedAt === "" || other.startedAt === "" ? "running" : "gone";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process (EPERM) is a process too.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** When a process started, as text to compare; undefined = it is gone, or dead and only waits to be reaped; "" = unknown. */
export function startOf(pid: number): string | undefined {
  if (process.platform === "linux") return linuxStartOf(pid);
  if (process.platform === "win32") return "";
  const text = readOr("", () => execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }));
  return text.trim();
}

/** Field 22 of /proc/pid/stat, in ticks since the boot; field 3 is the state (proc(5)). */
function linuxStartOf(pid: number): string | undefined {
  const text = readOr("", () => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The name in field 2 may contain anything, also blanks and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startedAt] = [fields[0], fields[19]];
  if (startedAt === undefined || state === "Z" || state === "X") return undefined;
  return startedAt;
}

function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
