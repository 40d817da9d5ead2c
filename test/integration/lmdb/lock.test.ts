import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { open } from "lmdb";
import { expect, test } from "vitest";
import { DataFolderError } from "../../../src/stores/lmdb/errors.ts";
import { acquireFolder, refuseOwnedFolder } from "../../../src/stores/lmdb/folder-lock.ts";
import type { Key } from "../../../src/stores/lmdb/keys.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { ownIdentity, type ProcessIdentity } from "../../../src/base/process-identity.ts";
import { rawOptions } from "../../../src/stores/lmdb/raw-database.ts";
import { startChild } from "./children.ts";
import { temporaryFolder } from "./folder.ts";

async function refusal(path: string): Promise<DataFolderError> {
  const error: unknown = await openEnvironment(path).then(
    (environment) => environment.close(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DataFolderError)) throw new Error("the folder was opened", { cause: error });
  return error;
}

async function ownerAfterOpening(path: string): Promise<unknown> {
  await using environment = await openEnvironment(path);
  await environment.write(() => undefined);
  return JSON.parse(await readFile(join(path, "owner.json"), "utf8"));
}

async function changeOwner(path: string, change: (owner: ProcessIdentity) => ProcessIdentity): Promise<void> {
  const file = join(path, "owner.json");
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, "utf8")) as ProcessIdentity)));
}

test("a folder that another process has open is refused, with the owner's pid and what to do", async () => {
  await using folder = await temporaryFolder();
  await using child = startChild(new URL("./owner.ts", import.meta.url), folder.path);
  await child.written(1);
  const error = await refusal(folder.path);
  expect(error.code).toBe("folder_in_use");
  expect(error.message).toContain(String(child.pid));
  expect(error.fix).toMatch(/Stop that process/);
});

test("an owner that was killed is taken over from, and one that closed leaves no trace", async () => {
  await using folder = await temporaryFolder();
  await using child = startChild(new URL("./owner.ts", import.meta.url), folder.path);
  await child.written(1);
  await child.kill();
  const environment = await openEnvironment(folder.path);
  expect((await refusal(folder.path)).message).toContain(String(process.pid));
  await environment.close();
  await expect(readFile(join(folder.path, "owner.json"))).rejects.toThrow("ENOENT");
});

test("of several who come at once exactly one gets the folder, also when its last owner was killed", async () => {
  await using folder = await temporaryFolder();
  await using killed = startChild(new URL("./owner.ts", import.meta.url), folder.path);
  await killed.written(1);
  await killed.kill();
  const rivals = Array.from({ length: 4 }, () => startChild(new URL("./owner.ts", import.meta.url), folder.path));
  try {
    await Promise.all(rivals.map((rival) => rival.written(1)));
    const answers = rivals.map(({ lines }) => lines[0]);
    expect(answers.filter((answer) => answer === "owner")).toHaveLength(1);
    expect(answers.filter((answer) => answer?.startsWith("Another process has this data folder open."))).toHaveLength(
      3,
    );
  } finally {
    await Promise.all(rivals.map((rival) => rival.kill()));
  }
});

test("who looked before another took the folder looks again when it decides", async () => {
  await using folder = await temporaryFolder();
  refuseOwnedFolder(folder.path);
  await using child = startChild(new URL("./owner.ts", import.meta.url), folder.path);
  await child.written(1);
  const root = open<Buffer, Key>({ path: folder.path, noSubdir: false, overlappingSync: false, ...rawOptions });
  try {
    expect(() => acquireFolder(folder.path, root)).toThrow(`Process ${child.pid} has`);
  } finally {
    await root.close();
  }
});

test("a pid that was given to another process since does not keep the folder", async () => {
  await using folder = await temporaryFolder();
  // This very process, but as if it had started at another time.
  const owner = { ...ownIdentity(), startedAt: "1" };
  await writeFile(join(folder.path, "owner.json"), JSON.stringify(owner));
  expect(await ownerAfterOpening(folder.path)).toEqual(ownIdentity());
});

test("a pid from before the machine was restarted does not keep the folder", async () => {
  await using folder = await temporaryFolder();
  const owner = { ...ownIdentity(), boot: "another" };
  await writeFile(join(folder.path, "owner.json"), JSON.stringify(owner));
  expect(await ownerAfterOpening(folder.path)).toEqual(ownIdentity());
});

test("an owner in another container keeps the folder for as long as it lives", async () => {
  await using folder = await temporaryFolder();
  await using child = startChild(new URL("./owner.ts", import.meta.url), folder.path);
  await child.written(1);
  // As if its pid meant nothing here.
  await changeOwner(folder.path, (owner) => ({ ...owner, namespace: "another" }));
  expect((await refusal(folder.path)).code).toBe("folder_in_use");
  await child.kill();
  expect(await ownerAfterOpening(folder.path)).toEqual(ownIdentity());
});

test("an owner file that nobody can read does not keep the folder", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "owner.json"), '{"pid":');
  expect(await ownerAfterOpening(folder.path)).toEqual(ownIdentity());
});
