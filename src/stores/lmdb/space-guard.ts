import { statfsSync } from "node:fs";
import type { RawDatabase } from "./raw-database.ts";
import type { Snapshot } from "./snapshot.ts";
import { databaseNames } from "./tables.ts";

/** What the driver says about a database and, with it, about the whole file. */
interface DatabaseStatistics {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly lastPageNumber: number;
}

/**
 * Free space that is never used. The driver grows its file itself, knows no cap, and must not meet a full disk: composing
 * the message of a failed page write, it overruns its own buffer, which can end the process (lmdb 3.5.6; nothing that
 * was acked is lost, but nobody is served). So a commit is refused while there is still room for all the pages that it
 * might have to copy.
 */
export const diskReserveBytes = 64 * 1024 * 1024;

/** Below this, not even rows that only change are written: each of them costs copies of pages. */
export const diskFloorBytes = 16 * 1024 * 1024;

/** Below this, the exact size of the data is worth a look at every database. */
const nearBytes = 64 * 1024 * 1024;

export interface SpaceGuardOptions {
  /** Bound on the pages in use. The file may be larger by what recent commits left to be used again. */
  readonly dataBytesMax: number;
  readonly freeBytes: () => number;
}

/** How much the data may grow by the next commit, in bytes; ≤ 0 = not at all, −∞ = nothing may be written whatsoever. */
export function createSpaceGuard(snapshot: Snapshot, options: SpaceGuardOptions): () => number {
  return () => {
    const freeBytes = options.freeBytes();
    if (freeBytes < diskFloorBytes) return Number.NEGATIVE_INFINITY;
    const diskBytes = freeBytes - diskReserveBytes;
    if (options.dataBytesMax === Number.POSITIVE_INFINITY) return diskBytes;
    const { lastPageNumber, pageSize } = statistics(snapshot.database("meta"));
    const ever = options.dataBytesMax - (lastPageNumber + 1) * pageSize;
    return Math.min(diskBytes, ever > nearBytes ? ever : options.dataBytesMax - usedBytes(snapshot));
  };
}

/** Bytes that an unprivileged process may still write to the file system of the folder. */
export function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function usedBytes(snapshot: Snapshot): number {
  let bytes = 0;
  for (const name of databaseNames) {
    const { pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } = statistics(snapshot.database(name));
    bytes += (treeBranchPageCount + treeLeafPageCount + overflowPages) * pageSize;
  }
  return bytes;
}

function statistics(database: RawDatabase): DatabaseStatistics {
  return database.getStats() as DatabaseStatistics;
}
