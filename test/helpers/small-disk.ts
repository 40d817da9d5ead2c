import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * File systems of a test's own, to be filled: in a mount namespace that nobody else sees, and that ends with the processes
 * in it, so that nothing stays mounted whatever becomes of the test. Root may make one, and everybody where the kernel lets
 * users have namespaces.
 */
export interface SmallDisks extends AsyncDisposable {
  /** The words before a command that is to see them. */
  readonly enter: readonly string[];
  /** Leaves not a byte on the disk of that folder; disposing of the answer makes room again. */
  fill(folder: string): Filling;
}

export interface Filling extends Disposable {
  /** What was free before. */
  readonly bytes: number;
}

const isRoot = process.getuid?.() === 0;
const asUser = [`--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`];
const unshare = ["--mount", "--propagation", "private", ...(isRoot ? [] : ["--user", "--map-root-user"])];

/** Why there can be none here, in a few words; undefined = there can. */
export function noSmallDisks(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  const { status } = spawnSync("unshare", [...unshare, "mount", "-t", "tmpfs", "-o", "size=64k", "msgr-test", "/mnt"]);
  return status === 0 ? undefined : "this user may not mount a file system, not even for itself";
}

/** One for each folder, with so many bytes; the folders are made. */
export async function mountSmallDisks(bytesOf: Readonly<Record<string, number>>): Promise<SmallDisks> {
  for (const folder of Object.keys(bytesOf)) mkdirSync(folder, { recursive: true, mode: 0o711 });
  const mounts = Object.entries(bytesOf).map(
    ([folder, bytes]) => `mount -t tmpfs -o size=${bytes},mode=711 msgr-test "${folder}"`,
  );
  // Lives for as long as its input is open: ended also when the test run is killed.
  const script = `set -e; ${mounts.join("; ")}; echo ready; exec cat`;
  const holder = spawn("unshare", [...unshare, "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  await saidReady(holder);
  const namespaces = `--target=${holder.pid}`;
  return {
    enter: isRoot
      ? ["nsenter", namespaces, "--mount", "--"]
      : ["nsenter", namespaces, "--user", "--mount", "--preserve-credentials", "unshare", "--user", ...asUser, "--"],
    fill: (folder) => fill(`/proc/${holder.pid}/root${folder}/filler`),
    async [Symbol.asyncDispose]() {
      const ended = once(holder, "close");
      holder.stdin?.end();
      await ended;
    },
  };
}

async function saidReady(holder: ChildProcess): Promise<void> {
  if (holder.stdout === null) throw new Error("no output to read");
  for await (const line of createInterface({ input: holder.stdout })) if (line === "ready") return;
  throw new Error("the small file systems could not be mounted");
}

function fill(file: string): Filling {
  const descriptor = openSync(file, "w");
  let bytes = 0;
  for (let size = 1024 * 1024; size >= 1;) {
    try {
      bytes += writeSync(descriptor, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      size = Math.floor(size / 2);
    }
  }
  closeSync(descriptor);
  return { bytes, [Symbol.dispose]: () => rmSync(file, { force: true }) };
}
