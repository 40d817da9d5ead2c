import { accessSync, constants, mkdirSync } from "node:fs";
import { open } from "lmdb";
import { assert } from "../../base/assert.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import { checkDataFile } from "./check-data-file.ts";
import { Environment } from "./environment.ts";
import { DataFolderError } from "./errors.ts";
import { acquireFolder, refuseOwnedFolder } from "./folder-lock.ts";
import { GroupCommit } from "./group-commit.ts";
import { checkFormat, writeFormat } from "./schema.ts";
import { rawOptions, type RawRoot } from "./raw-database.ts";
import { Snapshot } from "./snapshot.ts";
import { createSpaceGuard, freeBytesOf } from "./space-guard.ts";
import { databaseNames } from "./tables.ts";

export interface EnvironmentOptions {
  /** Rows of a bucket, in [2, limits.bucketRows]; fixed when the folder is made. */
  readonly bucketRows?: number;
  /** Most that the data may take, in bytes; what would need more is refused with `storage_full`. Absent = the disk decides. */
  readonly dataBytesMax?: number;
  /** Bytes that are free on the disk of the folder; for tests. */
  readonly freeBytes?: () => number;
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
  makeFolder(folder);
  refuseOwnedFolder(folder);
  const root = openFiles(folder);
  let release = (): void => undefined;
  try {
    release = acquireFolder(folder, root);
    return openOwned(folder, root, release, bucketRows, options);
  } catch (error) {
    await root.close();
    release();
    throw error;
  }
}

function openOwned(
  folder: string,
  root: RawRoot,
  release: () => void,
  bucketRows: number,
  options: EnvironmentOptions,
): Environment {
  checkFormat(root, bucketRows);
  const snapshot = Snapshot.open(root);
  writeFormat(root, snapshot, bucketRows);
  const writer = new GroupCommit(root, snapshot, {
    clock: options.clock ?? systemClock,
    commitTimeoutMs: options.commitTimeoutMs ?? defaults.commitTimeoutMs,
    operationsPerCommitMax: options.operationsPerCommitMax ?? defaults.operationsPerCommitMax,
    operationsWaitingMax: options.operationsWaitingMax ?? defaults.operationsWaitingMax,
    growthBytesMax: createSpaceGuard(snapshot, {
      dataBytesMax: options.dataBytesMax ?? Number.POSITIVE_INFINITY,
      freeBytes: options.freeBytes ?? (() => freeBytesOf(folder)),
    }),
  });
  return new Environment({ bucketRows, root, snapshot, writer, release });
}

function openFiles(folder: string): RawRoot {
  checkDataFile(folder);
  try {
    return open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      maxDbs: databaseNames.length,
      mapSize: mapBytesInitial,
      ...rawOptions,
      // A promise of the driver then resolves after the flush. And no batches of its own around ours: when a commit
      // fails, those reject promises that nobody holds, which ends the process.
      overlappingSync: false,
      eventTurnBatching: false,
    });
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function unusable(folder: string, cause: unknown): DataFolderError {
  return new DataFolderError(
    "folder_unusable",
    `${folder}: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  );
}
