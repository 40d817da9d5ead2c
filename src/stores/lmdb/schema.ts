import { DataFolderError } from "./errors.ts";
import { textKey } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import type { RawRoot } from "./raw-database.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the folder says about itself. */
export interface FolderFormat {
  readonly version: number;
  readonly bucketRows: number;
}

/** Turns the data of one version into that of the next, inside of one synchronous transaction with all that are due. */
export type Upgrade = (snapshot: Snapshot) => void;

/** `upgrades[n]` turns version n + 1 into version n + 2; the version of this code is one more than there are upgrades. */
export const upgrades: readonly Upgrade[] = [];

const meta = packedTable<FolderFormat>("meta");
const formatKey = textKey("format");

/**
 * Brings a folder to the version of this code: an empty one is stamped, an older one upgraded, all or nothing, a newer
 * one refused untouched. Runs before anything else is written.
 */
export function prepareFormat(
  root: RawRoot,
  snapshot: Snapshot,
  bucketRows: number,
  steps: readonly Upgrade[] = upgrades,
): void {
  const current = steps.length + 1;
  const found = snapshot.get(meta, formatKey);
  if (found !== undefined && found.version > current) {
    throw new DataFolderError("schema_newer", `It has version ${found.version}; this program knows up to ${current}.`);
  }
  if (found !== undefined && found.bucketRows !== bucketRows) {
    throw new DataFolderError("bucket_rows_differ", `It has ${found.bucketRows}; asked for ${bucketRows}.`);
  }
  if (found?.version === current) return;
  root.transactionSync(() => {
    if (found !== undefined) for (const step of steps.slice(found.version - 1)) step(snapshot);
    const format: FolderFormat = { version: current, bucketRows };
    snapshot.database("meta").putSync(formatKey, meta.encode(format) as Buffer);
  });
}
