import { statfsSync } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Random } from "../../base/random.ts";
import { isMultipart, planParts } from "../../core/media/part-plan.ts";
import type { MediaFiles, MediaGrant, MediaObjects, OpenMedia } from "../../core/ports/media.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { orWireError, systemCode, toWireError } from "./file-error.ts";
import { isObjectName, makeParent, openMediaFolder, syncFolder, type MediaFolder } from "./media-folder.ts";
import { RunningWrites } from "./running-writes.ts";
import { signAddress, verifyAddress } from "../../core/media/signed-address.ts";
import { concatenated, publish, streamBytes, writeFile } from "./write-file.ts";

export interface FilesystemMediaOptions {
  readonly random: Random;
  /** Bytes that are free on the disk of the folder; for tests. */
  readonly freeBytes?: () => number;
  /** Uploads at once; absent = limits.mediaUploadsAtOnceMax. */
  readonly writesMax?: number;
}

/** Free space that uploads leave alone: messages must still find room when media does not. */
export const mediaReserveBytes = 256 * 1024 * 1024;

/** Multipart uploads need no state before their first part, so that all have one id. */
const uploadId = "parts";

/**
 * Media in a folder of this machine, served by this process under addresses that it signs. An object is there whole or
 * not at all, after a SIGKILL at any point too: bytes are written and flushed elsewhere, then linked to their name. One
 * process at a time (the caller holds the lock of the data folder). Rejects with the system's error if it cannot be opened.
 */
export async function openFilesystemMedia(
  root: string,
  options: FilesystemMediaOptions,
): Promise<MediaObjects & MediaFiles> {
  const folder = await openMediaFolder(root, options.random);
  const writes = new RunningWrites(options.writesMax ?? limits.mediaUploadsAtOnceMax);
  const freeBytes = options.freeBytes ?? (() => freeBytesOf(root));
  const checkRoom = (sizeBytes: number): void => {
    if (freeBytes() < mediaReserveBytes + sizeBytes) throw new WireError("storage_full");
  };
  return {
    plan: ({ name, sizeBytes }, expiresAt) =>
      orWireError(async () => {
        checkRoom(sizeBytes);
        return planUpload(folder.key, name, sizeBytes, expiresAt);
      }),
    finish: (name, _uploadId, parts) => orWireError(() => finish(folder, writes, checkRoom, name, parts)),
    sizeBytes: (name) => orWireError(() => sizeOf(folder.objectPath(name))),
    read: (name) => orWireError(async () => (await open(folder.objectPath(name))).createReadStream(readOptions)),
    signRead: async (name, expiresAt) => signAddress(folder.key, { action: "read", name }, expiresAt),
    remove: (name) =>
      orWireError(async () => {
        await writes.end(name);
        await rm(folder.objectPath(name), { force: true });
        await rm(folder.partsPath(name), { recursive: true, force: true });
      }),

    grant(method, name, query, now) {
      return isObjectName(name) ? verifyAddress(folder.key, method, name, query, now) : undefined;
    },
    write: (grant, body) =>
      orWireError(() =>
        writes.run(grant.name, grant.part, async (signal) => {
          checkRoom(grant.sizeBytes);
          return write(folder, grant, body, signal);
        }),
      ),
    open: (name) => orWireError(() => openObject(folder.objectPath(name))),
  };
}

const readOptions = { highWaterMark: streamBytes } as const;

function freeBytesOf(root: string): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}

function planUpload(key: Uint8Array, name: string, sizeBytes: number, expiresAt: number) {
  const isWhole = !isMultipart(sizeBytes);
  const parts = planParts(sizeBytes).map((part) => {
    const grant = {
      action: "write",
      name,
      part: isWhole ? 0 : part.number,
      sizeBytes: part.toByte - part.fromByte,
    } as const;
    return { ...part, url: signAddress(key, grant, expiresAt), headers: {} };
  });
  return isWhole ? { parts } : { uploadId, parts };
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function write(
  folder: MediaFolder,
  { name, part, sizeBytes }: Extract<MediaGrant, { action: "write" }>,
  body: Readable,
  signal: AbortSignal,
): Promise<string> {
  const object = folder.objectPath(name);
  if ((await sizeOf(object)) !== undefined) throw new WireError("media_exists");
  const incoming = folder.incomingPath();
  await writeFile(incoming, body, sizeBytes, signal);
  const tag = folder.freshTag();
  const isKept = part === 0 ? await publish(incoming, object) : await keepPart(folder, name, part, tag, incoming);
  if (!isKept) throw new WireError("media_exists");
  return `"${tag}"`;
}

/** False: the object was put together meanwhile, and nothing is kept of the part. */
async function keepPart(
  folder: MediaFolder,
  name: string,
  part: number,
  tag: string,
  incoming: string,
): Promise<boolean> {
  const parts = folder.partsPath(name);
  const file = path.join(parts, `${part}.${tag}`);
  try {
    await makeParent(file);
    await rename(incoming, file);
    await syncFolder(parts);
    const replaced = (await readdir(parts)).filter(
      (other) => other.startsWith(`${part}.`) && other !== `${part}.${tag}`,
    );
    for (const other of replaced) await rm(path.join(parts, other), { force: true });
  } catch (error) {
    await rm(incoming, { force: true });
    // `finish` clears the parts away as soon as the object is there.
    if ((await sizeOf(folder.objectPath(name))) === undefined) throw error;
  }
  // In this order: either this sees the object, or whoever makes it sees the part and clears it away.
  if ((await sizeOf(folder.objectPath(name))) === undefined) return true;
  await rm(parts, { recursive: true, force: true });
  return false;
}

async function finish(
  folder: MediaFolder,
  writes: RunningWrites,
  checkRoom: (sizeBytes: number) => void,
  name: string,
  parts: readonly { readonly number: number; readonly etag: string }[],
): Promise<boolean> {
  const object = folder.objectPath(name);
  const partsFolder = folder.partsPath(name);
  if ((await sizeOf(object)) === undefined) {
    const files = parts.map(({ number, etag }) => path.join(partsFolder, `${number}.${tagOf(etag)}`));
    const sizes = await Promise.all(files.map(sizeOf));
    if (!sizes.every((size) => size !== undefined)) return false;
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    checkRoom(sizeBytes);
    const incoming = folder.incomingPath();
    await writeFile(incoming, concatenated(files), sizeBytes, new AbortController().signal);
    await publish(incoming, object);
  }
  await writes.end(name);
  await rm(partsFolder, { recursive: true, force: true });
  return true;
}

/** As it stands in the name of a part; whatever is none names no file. */
function tagOf(etag: string): string {
  return /^"?([0-9a-f]{16})"?$/.exec(etag)?.[1] ?? "none";
}

async function openObject(file: string): Promise<OpenMedia | undefined> {
  const handle = await open(file).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw toWireError(error);
  });
  if (handle === undefined) return undefined;
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    read: (fromByte, toByte) => handle.createReadStream({ ...readOptions, start: fromByte, end: toByte - 1 }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
