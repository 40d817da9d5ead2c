import { readdir } from "node:fs/promises";
import { open } from "lmdb";
import { expect, test } from "vitest";
import { textKey, type Key } from "../../../src/stores/lmdb/keys.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { packedTable } from "../../../src/stores/lmdb/packed-table.ts";
import { rawOptions, type RawRoot } from "../../../src/stores/lmdb/raw-database.ts";
import { checkFormat, writeFormat, type FolderFormat, type Upgrade } from "../../../src/stores/lmdb/schema.ts";
import { Snapshot } from "../../../src/stores/lmdb/snapshot.ts";
import { temporaryFolder } from "./folder.ts";

const meta = packedTable<FolderFormat>("meta");
const formatKey = textKey("format");

async function withFiles<Result>(path: string, use: (root: RawRoot) => Result): Promise<Result> {
  const root = open<Buffer, Key>({ path, noSubdir: false, maxDbs: 40, overlappingSync: false, ...rawOptions });
  try {
    return use(root);
  } finally {
    await root.close();
  }
}

/** Opens the folder as a version with these upgrades would. */
async function openWith(path: string, steps: readonly Upgrade[]): Promise<FolderFormat | undefined> {
  return await withFiles(path, (root) => {
    checkFormat(root, 4, steps);
    const snapshot = Snapshot.open(root);
    writeFormat(root, snapshot, 4, steps);
    return snapshot.get(meta, formatKey);
  });
}

test("a folder from a newer version is refused untouched", async () => {
  await using folder = await temporaryFolder();
  await (await openEnvironment(folder.path)).close();
  const stamp = { version: 7, bucketRows: 1_024 };
  await withFiles(folder.path, (root) => {
    root.openDB<Buffer, Key>("meta", rawOptions).putSync(formatKey, meta.encode(stamp) as Buffer);
  });
  await expect(openEnvironment(folder.path)).rejects.toMatchObject({ code: "schema_newer" });
  const found = await withFiles(folder.path, (root) => Snapshot.open(root).get(meta, formatKey));
  expect(found).toEqual(stamp);
  expect(await readdir(folder.path)).not.toContain("owner.json");
});

test("a folder keeps its number of rows in a bucket", async () => {
  await using folder = await temporaryFolder();
  await (await openEnvironment(folder.path, { bucketRows: 4 })).close();
  await expect(openEnvironment(folder.path)).rejects.toMatchObject({ code: "bucket_rows_differ" });
  await (await openEnvironment(folder.path, { bucketRows: 4 })).close();
});

test("upgrades that are due run once and in order; a new folder needs none", async () => {
  await using folder = await temporaryFolder();
  await using fresh = await temporaryFolder();
  const ran: number[] = [];
  const steps = [1, 2, 3].map(
    (number): Upgrade =>
      () =>
        void ran.push(number),
  );
  expect(await openWith(folder.path, [])).toEqual({ version: 1, bucketRows: 4 });
  expect(await openWith(folder.path, steps.slice(0, 1))).toEqual({ version: 2, bucketRows: 4 });
  expect(await openWith(folder.path, steps)).toEqual({ version: 4, bucketRows: 4 });
  expect(await openWith(folder.path, steps)).toEqual({ version: 4, bucketRows: 4 });
  expect(ran).toEqual([1, 2, 3]);
  expect(await openWith(fresh.path, steps)).toEqual({ version: 4, bucketRows: 4 });
  expect(ran).toEqual([1, 2, 3]);
});

test("an upgrade that fails leaves the folder at its old version with its old data", async () => {
  await using folder = await temporaryFolder();
  await openWith(folder.path, []);
  const key = textKey("a row");
  const writes: Upgrade = (snapshot) => {
    snapshot.database("users").putSync(key, Buffer.from("half"));
  };
  const fails: Upgrade = () => {
    throw new Error("not this time");
  };
  await expect(openWith(folder.path, [writes, fails])).rejects.toThrow("not this time");
  expect(await openWith(folder.path, [])).toEqual({ version: 1, bucketRows: 4 });
  const row = await withFiles(folder.path, (root) => Snapshot.open(root).database("users").getBinary(key));
  expect(row).toBeUndefined();
});
