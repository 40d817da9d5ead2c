import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { assert } from "../../base/assert.ts";
import type { Random } from "../../base/random.ts";
import { systemCode } from "./file-error.ts";

/**
 * Where the bytes of media lie in one folder:
 *
 *   xx/NAME              objects, by the first two digits of their names; whole and durable, or not there
 *   parts/NAME/N.ETAG    parts of multipart uploads; whole and durable as well
 *   incoming/*           whatever is being written; emptied at every start
 *   signing-key          of the addresses under /media
 */
export interface MediaFolder {
  readonly key: Uint8Array;
  readonly root: string;
  objectPath(name: string): string;
  partsPath(name: string): string;
  /** A path in `incoming` that nobody uses. */
  incomingPath(): string;
  /** 16 random digits. */
  freshTag(): string;
}

const directoryMode = 0o700;
const keyBytes = 32;
const tagBytes = 8;

/** Names are made by the core; one that is not of its making never becomes a path. */
const namePattern = /^[0-9a-f]{32}$/;

export function isObjectName(name: string): boolean {
  return namePattern.test(name);
}

/** Opens the folder, making it if need be. One process at a time: the caller holds the lock of the data folder. */
export async function openMediaFolder(root: string, random: Random): Promise<MediaFolder> {
  const incoming = path.join(root, "incoming");
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: directoryMode });
  const freshTag = (): string => Buffer.from(random.fill(new Uint8Array(tagBytes))).toString("hex");
  const checked = (name: string): string => {
    assert(isObjectName(name), "an object is named by 32 hex digits");
    return name;
  };
  return {
    key: await readKey(root, random),
    root,
    objectPath: (name) => path.join(root, checked(name).slice(0, 2), name),
    partsPath: (name) => path.join(root, "parts", checked(name)),
    incomingPath: () => path.join(incoming, freshTag()),
    freshTag,
  };
}

/** Makes the folder of `file` durable, with whatever of its parents is new. Calling it twice does no harm. */
export async function makeParent(file: string): Promise<void> {
  const folder = path.dirname(file);
  const made = await mkdir(folder, { recursive: true, mode: directoryMode });
  if (made !== undefined) await syncFolder(path.dirname(made));
}

/** What was linked, renamed or removed in `folder` survives a loss of power when it resolves. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A key that cannot be used is made anew: all it costs is the addresses that were given out. */
async function readKey(root: string, random: Random): Promise<Uint8Array> {
  const file = path.join(root, "signing-key");
  const known = await readFile(file).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (known?.length === keyBytes) return known;
  const key = random.fill(new Uint8Array(keyBytes));
  const fresh = path.join(root, "incoming", "signing-key");
  const handle = await open(fresh, "w", 0o600);
  try {
    await handle.writeFile(key);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  await syncFolder(root);
  return key;
}
