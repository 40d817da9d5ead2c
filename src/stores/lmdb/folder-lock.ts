import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataFolderError } from "./errors.ts";
import { livenessOf, ownIdentity, type ProcessIdentity } from "../../base/process-identity.ts";
import type { RawRoot } from "./raw-database.ts";

/**
 * One process owns a data folder, from openEnvironment to close, and `owner.json` in it says which.
 *
 * A killed owner leaves the file behind; whoever comes next sees that its process is gone and takes over. Two who come
 * at once would both see that, so that the decision is made inside of a write transaction of the database: it excludes
 * every other process, and the system ends it if its holder is killed. There the file is read once more.
 *
 * An owner in another container cannot be seen by its pid. LMDB's table of readers tells: a process holds a lock of the
 * system in it for as long as it has the database open.
 */

/** Throws `folder_in_use` if a live process owns the folder. A glance, before any file of it is opened. */
export function refuseOwnedFolder(folder: string): void {
  const owner = readOwner(folder);
  if (owner !== undefined && livenessOf(owner, ownIdentity()) === "running") throw inUse(folder, owner);
}

/** Takes the folder or throws `folder_in_use`. Answers what lets it go again. */
export function acquireFolder(folder: string, root: RawRoot): () => void {
  const self = ownIdentity();
  root.transactionSync(() => {
    const owner = readOwner(folder);
    if (owner !== undefined) {
      const liveness = livenessOf(owner, self);
      if (liveness === "running" || (liveness === "unseen" && isReader(root, owner.pid))) throw inUse(folder, owner);
    }
    writeOwner(folder, self);
  });
  return () => releaseFolder(folder, self);
}

function releaseFolder(folder: string, self: ProcessIdentity): void {
  const owner = readOwner(folder);
  if (owner?.pid === self.pid && owner.startedAt === self.startedAt) rmSync(ownerPath(folder), { force: true });
}

function isReader(root: RawRoot, pid: number): boolean {
  root.readerCheck();
  return root
    .readerList()
    .split("\n")
    .some((line) => Number.parseInt(line.trim(), 10) === pid);
}

function ownerPath(folder: string): string {
  return join(folder, "owner.json");
}

/** Undefined if there is none, or none that can be read: the file is only ever replaced whole. */
function readOwner(folder: string): ProcessIdentity | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(ownerPath(folder), "utf8"));
    return isIdentity(owner) ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startedAt, boot, namespace } = value as Record<keyof ProcessIdentity, unknown>;
  const texts = [startedAt, boot, namespace];
  return Number.isInteger(pid) && (pid as number) > 0 && texts.every((text) => typeof text === "string");
}

function writeOwner(folder: string, self: ProcessIdentity): void {
  const fresh = `${ownerPath(folder)}.${self.pid}`;
  writeFileSync(fresh, `${JSON.stringify(self)}\n`, { mode: 0o600 });
  renameSync(fresh, ownerPath(folder));
}

function inUse(folder: string, owner: ProcessIdentity): DataFolderError {
  return new DataFolderError("folder_in_use", `Process ${owner.pid} has ${folder}.`);
}
