import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { newId } from "../../contract/durable-harness.ts";
import { fill, readLog } from "../../contract/log-fixture.ts";
import { temporaryFolder } from "./folder.ts";

test("a file in the place of the folder is refused and kept", async () => {
  await using folder = await temporaryFolder();
  const inTheWay = join(folder.path, "taken");
  await writeFile(inTheWay, "a file");
  await expect(openEnvironment(inTheWay)).rejects.toMatchObject({ code: "folder_unusable" });
  expect(await readFile(inTheWay, "utf8")).toBe("a file");
});

test.each([
  ["something else", Buffer.alloc(64 * 1024, 7)],
  ["a few bytes", Buffer.from("not a database")],
  ["zeros", Buffer.alloc(64 * 1024)],
])("a database file that is %s is refused and kept", async (_, bytes) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "data.mdb");
  await writeFile(file, bytes);
  await expect(openEnvironment(folder.path)).rejects.toMatchObject({ code: "data_damaged" });
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  expect(await readdir(folder.path)).toEqual(["data.mdb"]);
});

test("a database file that was cut off is refused", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "data.mdb");
  const environment = await openEnvironment(folder.path);
  await fill(createLmdbMessageLog(environment), newId(), 200);
  await environment.close();
  const { size } = await stat(file);
  await truncate(file, 16 * 1024);
  expect(size).toBeGreaterThan(16 * 1024);
  await expect(openEnvironment(folder.path)).rejects.toMatchObject({ code: "data_damaged" });
});

test("a database file whose making was cut off says that it can go, and an empty one is made again", async () => {
  await using folder = await temporaryFolder();
  await (await openEnvironment(folder.path)).close();
  const file = join(folder.path, "data.mdb");
  await truncate(file, 4_096);
  await expect(openEnvironment(folder.path)).rejects.toThrow(/holds nothing yet.*Delete it/);
  await truncate(file, 0);
  await using environment = await openEnvironment(folder.path);
  const [log, conversation] = [createLmdbMessageLog(environment), newId()];
  await fill(log, conversation, 3);
  expect(await readLog(log, conversation)).toHaveLength(3);
});
