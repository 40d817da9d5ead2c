import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DataFolderError } from "./errors.ts";

/**
 * Looks at the database file before the driver does, which does not refuse a file that is no database or was cut off: it
 * ends the process (lmdb 3.5.6). Offsets: struct MDB_meta of its liblmdb (data version 2), which begins behind the page
 * header of the first two pages; the one with the higher transaction counts.
 */

const metaBytes = 176;
const magic = 0xbeefc0de;
const dataVersion = 2;
const noPage = 0xffff_ffff_ffff_ffffn;

interface Meta {
  readonly pageBytes: number;
  readonly transaction: bigint;
  /** First pages of the two trees that hold everything else. */
  readonly roots: readonly bigint[];
}

/** Throws `data_damaged` or `folder_unusable`; changes nothing. */
export function checkDataFile(folder: string): void {
  const path = join(folder, "data.mdb");
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    const { size } = fstatSync(file);
    if (size === 0) return;
    const first = readMeta(file, 0);
    if (first === undefined) throw new DataFolderError("data_damaged", `${path} is not a database of this version.`);
    if (size < first.pageBytes * 2) {
      // Not deleted here: another process may be in the middle of making it.
      throw new DataFolderError("data_damaged", `${path} holds nothing yet: whoever made it was killed. Delete it.`);
    }
    const second = readMeta(file, first.pageBytes);
    if (second === undefined) throw new DataFolderError("data_damaged", `${path} has lost its second page.`);
    const { roots } = first.transaction > second.transaction ? first : second;
    const pages = BigInt(Math.floor(size / first.pageBytes));
    if (roots.some((root) => root !== noPage && root >= pages)) {
      throw new DataFolderError("data_damaged", `${path} was cut off after ${size} bytes.`);
    }
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new DataFolderError("folder_unusable", `${path} cannot be read.`, error);
  }
}

function readMeta(file: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(file, bytes, 0, metaBytes, at) < metaBytes) return undefined;
  if (bytes.readUInt32LE(24) !== magic || bytes.readUInt32LE(28) !== dataVersion) return undefined;
  return {
    pageBytes: bytes.readUInt32LE(48),
    transaction: bytes.readBigUInt64LE(152),
    roots: [bytes.readBigUInt64LE(88), bytes.readBigUInt64LE(136)],
  };
}
