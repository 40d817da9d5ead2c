import { DataFolderError } from "./errors.ts";
import { textKey, type Key } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import { rawOptions, type RawRoot } from "./raw-database.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the folder says about itself. */
export interface FolderFormat {
  readonly version: number;
  readonly bucketRows: number;
}

/** Turns the data of one version into that of the next. Writes with the `putSync` and `removeSync` of raw databases. */
export type Upgrade = (snapshot: Snapshot) => void;

/** `upgrades[n]` turns version n + 1 into version n + 2; the version of this code is one more than there are upgrades. */
const upgrades: readonly Upgrade[] = [
  // 2: media. The tables are there already; a program that does not know them would let messages refer to media without
  // saying so, and the next one that does would collect it.
  () => undefined,
];

const meta = packedTable<FolderFormat>("meta");
const formatKey = textKey("format");

/** Refuses a folder that this code cannot work on, before anything in it was written. */
export function checkFormat(root: RawRoot, bucketRows: number, steps: readonly Upgrade[] = upgrades): void {
  const known = steps.length + 1;
  const found = readFormat(root);
  if (found === undefined) return;
  if (found.version > known) {
    throw new DataFolderError("schema_newer", `It has version ${found.version}; this program knows up to ${known}.`);
  }
  if (found.bucketRows !== bucketRows) {
    throw new DataFolderError("bucket_rows_differ", `It has ${found.bucketRows}; asked for ${bucketRows}.`);
  }
}

/** Stamps a new folder and upgrades an older one: all steps and the new version in one transaction, or nothing. */
export function writeFormat(
  root: RawRoot,
  snapshot: Snapshot,
  bucketRows: number,
  steps: readonly Upgrade[] = upgrades,
): void {
  const version = steps.length + 1;
  const found = readFormat(root);
  if (found?.version === version) return;
  root.transactionSync(() => {
    if (found !== undefined) for (const step of steps.slice(found.version - 1)) step(snapshot);
    snapshot.database(meta.name).putSync(formatKey, meta.encode({ version, bucketRows }) as Buffer);
  });
}

// The driver takes `create`; its types do not name it.
const existingOnly: typeof rawOptions & { readonly create: false } = { ...rawOptions, create: false };

function readFormat(root: RawRoot): FolderFormat | undefined {
  const database = root.openDB<Buffer, Key>(meta.name, existingOnly) as ReturnType<typeof root.openDB> | undefined;
  const bytes = database?.getBinary(formatKey);
  return bytes === undefined ? undefined : meta.decode(bytes, formatKey);
}
