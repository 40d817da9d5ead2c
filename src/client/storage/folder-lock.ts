import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "./types.ts";

/**
 * One process per folder: a file that names its owner's pid. A live owner is never robbed; the lock of a dead one is
 * taken over. Pids repeat (a container's process is always 1), so a lock with our own pid counts only if we hold it.
 */
const held = new Set<string>();

export interface FolderLock {
  release(): Promise<void>;
}

/** Rejects with StorageError `locked` when another process, or another opening of this one, has the folder. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, "lock");
  for (let round = 0; round < 8; round++) {
    if (held.has(path)) throw locked(folder, process.pid);
    if (await create(path)) {
      held.add(path);
      return {
        async release() {
          if (held.delete(path)) await rm(path, { force: true });
        },
      };
    }
    const text = await readFile(path, "utf8").catch(() => "");
    const owner = Number.parseInt(text, 10);
    if (owner !== process.pid && isAlive(owner)) throw locked(folder, owner);
    await removeStale(path, text);
  }
  throw locked(folder, undefined);
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** By renaming, so that of two processes that found the same dead owner only one removes the lock that it read. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    const moved = await readFile(aside, "utf8");
    if (moved === text) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function locked(folder: string, pid: number | undefined): StorageError {
  const owner = pid === undefined ? "another process" : `process ${pid}`;
  return new StorageError(
    "locked",
    `${folder} is in use by ${owner}.`,
    "Close the other client, or use another folder for this account.",
  );
}
