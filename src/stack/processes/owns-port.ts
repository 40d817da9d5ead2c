import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * Whether that process listens on the port, and not another one that speaks the same protocol and took the port a moment
 * earlier: then the answer to a probe would be somebody else's. In doubt true.
 */
export function ownsPort(pid: number, port: number): boolean {
  try {
    return process.platform === "linux" ? ownsPortOnLinux(pid, port) : ownsPortByLsof(pid, port);
  } catch {
    return true;
  }
}

function ownsPortOnLinux(pid: number, port: number): boolean {
  const sockets = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningSockets(readFileSync(table, "utf8"), port)),
  );
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((descriptor) => sockets.has(targetOf(`${folder}/${descriptor}`)));
}

/** `socket:[inode]` of each socket that listens there, as /proc/pid/fd shows it. */
export function listeningSockets(table: string, port: number): readonly string[] {
  const listening = "0A";
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => state === listening && address?.endsWith(local) === true)
    .map((fields) => `socket:[${fields[9]}]`);
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function ownsPortByLsof(pid: number, port: number): boolean {
  const words = ["-nP", "-a", "-p", String(pid), `-iTCP:${port}`, "-sTCP:LISTEN", "-t"];
  return execFileSync("lsof", words, { encoding: "utf8" }).trim() !== "";
}
