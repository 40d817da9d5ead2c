import { accessSync, constants, mkdtempSync, statfsSync } from "node:fs";
import path from "node:path";
import { BenchError } from "./bench-error.ts";

/** Where the server under test keeps its data, for the time of a run. */
export interface DataFolder {
  readonly path: string;
  /** Its file system lives in memory: "durable" means nothing there. */
  readonly inMemory: boolean;
}

/** tmpfs, ramfs: linux/magic.h. */
const memoryFileSystems: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** A new folder in the first of `parents` that is on a disk and can be written to; in memory only when none is. */
export function makeDataFolder(parents: readonly string[]): DataFolder {
  const usable = parents.filter(isWritable);
  const onDisk = usable.find((parent) => !isInMemory(parent));
  const parent = onDisk ?? usable[0];
  if (parent === undefined) {
    const fix = "Set TMPDIR to a folder that can be written to.";
    throw new BenchError("failed", `No folder for the server's data: ${parents.join(", ")}.`, fix);
  }
  return { path: mkdtempSync(path.join(parent, "msgr-bench-")), inMemory: onDisk === undefined };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isInMemory(folder: string): boolean {
  return process.platform === "linux" && memoryFileSystems.has(statfsSync(folder).type);
}
