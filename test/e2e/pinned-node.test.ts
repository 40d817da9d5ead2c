import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

interface PinnedNode {
  readonly findPinnedNode: () => string | undefined;
  readonly isNewEnough: (version: string) => boolean;
}

const launcher = path.resolve(import.meta.dirname, "../../bin/pinned-node.js");
const { findPinnedNode, isNewEnough } = createRequire(import.meta.url)(launcher) as PinnedNode;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "msgr-pinned-node-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts a process that takes itself for Node 14 and wants to run `program`; `lib` is the launcher it asks. */
async function startOnOldNode(program: string, lib = launcher, args: string[] = []) {
  const [outer, inner] = [path.join(folder, "outer.cjs"), path.join(folder, "inner.mjs")];
  const lies = ["version", "v14.21.3", "execPath", "elsewhere/node"].map((word) => JSON.stringify(word));
  await writeFile(inner, program);
  await writeFile(
    outer,
    `Object.defineProperty(process, ${lies[0]}, { value: ${lies[1]} });
     Object.defineProperty(process, ${lies[2]}, { value: ${lies[3]} });
     require(${JSON.stringify(lib)}).withPinnedNode(${JSON.stringify(inner)}, () => console.log("stayed"));`,
  );
  const child = spawn(process.execPath, [outer, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, said, ended };
}

describe("a launcher on an old Node", () => {
  it("runs the program on the pinned Node, with its arguments, streams and exit code", async () => {
    const { child, said, ended } = await startOnOldNode(
      `process.stdin.pipe(process.stdout);
       console.error(process.execPath, process.argv.slice(2).join());
       process.exitCode = 7;`,
      launcher,
      ["a", "--b=c d"],
    );
    child.stdin.end("through");
    expect(await ended).toEqual([7, null]);
    expect(said.stdout).toBe("through");
    expect(said.stderr.trim()).toBe(`${findPinnedNode()} a,--b=c d`);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "hands %s on and waits for the program's own end",
    async (signal) => {
      const { child, said, ended } = await startOnOldNode(
        `process.on(${JSON.stringify(signal)}, () => { console.log("asked to stop"); process.exit(9); });
       setInterval(() => {}, 1000);
       console.log("ready");`,
      );
      await once(child.stdout, "data");
      child.kill(signal);
      expect(await ended).toEqual([9, null]);
      expect(said.stdout).toBe("ready\nasked to stop\n");
    },
  );

  it("dies of the signal that the program died of", async () => {
    const { ended } = await startOnOldNode(`process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  it("says in one line what to do when there is no other Node", async () => {
    const alone = path.join(folder, "pinned-node.cjs");
    await copyFile(launcher, alone);
    const { said, ended } = await startOnOldNode("", alone);
    expect(await ended).toEqual([1, null]);
    expect(said.stderr).toMatch(
      /^msgr: Node v14\.21\.3 is too old: run `npm ci` in \S+ .*, or install Node >= 22\.18\.\n$/,
    );
    expect(said.stdout).toBe("");
  });
});

it.each([
  ["v14.21.3", false],
  ["v20.20.2", false],
  ["v22.17.1", false],
  ["v22.18.0", true],
  ["v24.0.0", true],
])("takes %s for new enough: %s", (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});
