import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ownIdentity } from "../../../src/base/process-identity.ts";
import { lockFolder, type FolderLock, type LockOptions } from "../../../src/stack/files/folder-lock.ts";
import { temporaryFolder } from "../../helpers/server-process.ts";

const atOnce: LockOptions = { waitMs: 0, sleep: (milliseconds) => sleep(milliseconds) };
const module = path.resolve(import.meta.dirname, "../../../src/stack/files/folder-lock.ts");

async function take(folder: string): Promise<FolderLock> {
  const lock = await lockFolder(folder, atOnce);
  if ("holder" in lock) throw new Error(`held by ${lock.holder.pid}`);
  return lock;
}

describe("the lock of a folder", () => {
  it("names the holder to who comes second, and goes to the next when it is let go", async () => {
    using folder = temporaryFolder();
    const lock = await take(folder.path);
    expect(await lockFolder(folder.path, atOnce)).toMatchObject({ holder: { pid: process.pid } });
    const waiting = lockFolder(folder.path, { ...atOnce, waitMs: 10_000 });
    lock.release();
    expect(await waiting).toHaveProperty("release");
  });

  it("leaves one file, however often it was held", async () => {
    using folder = temporaryFolder();
    for (let round = 0; round < 5; round++) (await take(folder.path)).release();
    expect(readdirSync(folder.path)).toEqual(["lock.5"]);
  });

  it("is taken over from a holder that was killed", async () => {
    using folder = temporaryFolder();
    const script = `
      const { lockFolder } = await import(process.argv[1]);
      await lockFolder(process.argv[2], { waitMs: 0, sleep: async () => {} });
      console.log("held");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", module, folder.path]);
    await once(child.stdout, "data");
    expect(await lockFolder(folder.path, atOnce)).toMatchObject({ holder: { pid: child.pid } });
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await lockFolder(folder.path, atOnce)).toHaveProperty("release");
  });

  it("goes to exactly one of many who find a dead holder", async () => {
    using folder = temporaryFolder();
    writeFileSync(path.join(folder.path, "lock.7"), JSON.stringify({ ...ownIdentity(), startedAt: "1" }));
    const script = `
      const { lockFolder } = await import(process.argv[1]);
      const lock = await lockFolder(process.argv[2], { waitMs: 0, sleep: async () => {} });
      process.stdout.write("holder" in lock ? "second" : "first");
      process.stdin.resume().on("end", () => process.exit());`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", script, "--", module, folder.path]),
    );
    const answers = await Promise.all(children.map(async ({ stdout }) => String((await once(stdout, "data"))[0])));
    for (const child of children) child.stdin.end();
    await Promise.all(children.map((child) => once(child, "close")));
    expect(answers.sort()).toEqual(["first", "second", "second", "second"]);
  });
});
