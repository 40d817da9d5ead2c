import { mkdirSync } from "node:fs";
import { open } from "lmdb";
import { assert } from "../../base/assert.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import { Environment } from "./environment.ts";
import { DataFolderError } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import { prepareFormat } from "./schema.ts";
import { rawOptions, type RawRoot } from "./raw-database.ts";
import { Snapshot } from "./snapshot.ts";
import { databaseNames } from "./tables.ts";

export interface EnvironmentOptions {
  /** Rows of a bucket, in [2, limits.bucketRows]; fixed when the folder is made. */
  readonly bucketRows?: number;
  /** Longest a commit may take before its outcome counts as undecided, ms. */
  readonly commitTimeoutMs?: number;
  /** Operations in one commit: bounds how long gathering one keeps the process from anything else. */
  readonly operationsPerCommitMax?: number;
  /** Operations waiting for a commit; one more is refused with `store_unavailable`. */
  readonly operationsWaitingMax?: number;
  readonly clock?: Clock;
}

const defaults = { commitTimeoutMs: 30_000, operationsPerCommitMax: 2_048, operationsWaitingMax: 65_536 } as const;

/** Virtual addresses, not memory or disk: large enough that a young environment never has to be mapped anew. */
const mapBytesInitial = 2 ** 30;

/**
 * Opens the data folder, making it if it does not exist. Throws DataFolderError and leaves the folder as it was if that
 * cannot be. Whatever a killed process left behind is in order: a commit is there as a whole or not at all.
 */
export async function openEnvironment(folder: string, options: EnvironmentOptions = {}): Promise<Environment> {
  const bucketRows = options.bucketRows ?? limits.bucketRows;
  assert(bucketRows >= 2 && bucketRows <= limits.bucketRows, `rows of a bucket ${bucketRows}`);
  const root = openFiles(folder);
  try {
    const snapshot = Snapshot.open(root);
    prepareFormat(root, snapshot, bucketRows);
    const writer = new GroupCommit(root, snapshot, {
      clock: options.clock ?? systemClock,
      commitTimeoutMs: options.commitTimeoutMs ?? defaults.commitTimeoutMs,
      operationsPerCommitMax: options.operationsPerCommitMax ?? defaults.operationsPerCommitMax,
      operationsWaitingMax: options.operationsWaitingMax ?? defaults.operationsWaitingMax,
      growthBytesMax: () => Number.POSITIVE_INFINITY,
    });
    return new Environment({ bucketRows, root, snapshot, writer, release: () => undefined });
  } catch (error) {
    await root.close();
    throw error;
  }
}

function openFiles(folder: string): RawRoot {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      maxDbs: databaseNames.length,
      mapSize: mapBytesInitial,
      ...rawOptions,
      // A promise of the driver then resolves after the flush; it is also the faster way here.
      overlappingSync: false,
    });
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const damaged = /MDB_INVALID|MDB_CORRUPTED|MDB_VERSION_MISMATCH|MDB_PAGE_NOTFOUND/.test(detail);
    throw new DataFolderError(damaged ? "data_damaged" : "folder_unusable", `${folder}: ${detail}`, cause);
  }
}
