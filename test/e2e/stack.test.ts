import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lockFolder } from "../../src/stack/files/folder-lock.ts";
import { workingDirectoryOf } from "../../src/stack/processes/linux-processes.ts";
import { isRunning } from "../../src/stack/processes/recorded-process.ts";
import { readStackFile, type StackFile } from "../../src/stack/stack-file.ts";
import { parseJavaMajor } from "../../src/stack/prerequisites/tool-versions.ts";
import { javaVersion } from "../../src/stack/versions.ts";
import { eventually } from "../helpers/eventually.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

/** The programs of this machine that decide what can be tried here. */
const ask = (command: string, flag: string) => spawnSync(command, [flag], { encoding: "utf8" });
const has = (command: string, flag: string): boolean => ask(command, flag).status === 0;
const hasSmall = has("redis-server", "--version") && has("nginx", "-v");
const javaSaid = ask(
  process.env["JAVA_HOME"] === undefined ? "java" : `${process.env["JAVA_HOME"]}/bin/java`,
  "-version",
);
const hasJava = parseJavaMajor(javaSaid.stderr ?? "") === javaVersion && has("mvn", "--version");

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
/** A start with downloads on a busy machine. The cache is the user's own, so that this happens once. */
const commandWithinMs = 240_000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(directory: string, words: readonly string[], env: Record<string, string> = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MSGR_")));
  const all = [main, "stack", ...words, "--directory", directory];
  return spawn(process.execPath, all, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...clean, NO_COLOR: "1", XDG_CONFIG_HOME: "/nonexistent", ...env },
    cwd: path.dirname(directory),
    timeout: commandWithinMs,
    killSignal: "SIGKILL",
  });
}

async function stack(directory: string, words: readonly string[], env?: Record<string, string>): Promise<Ran> {
  const child = start(directory, words, env);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number | null, stdout, stderr };
}

async function statusOf(directory: string) {
  const { code, stdout } = await stack(directory, ["status", "--json"]);
  const { processes } = JSON.parse(stdout) as {
    processes: { name: string; health: string; pid: number; resident_bytes: number | null }[];
  };
  return { code, health: Object.fromEntries(processes.map(({ name, health }) => [name, health])), processes };
}

function fileOf(directory: string): StackFile {
  const file = readStackFile(directory);
  if (file === undefined) throw new Error(`no stack in ${directory}`);
  return file;
}

function pidOf(directory: string, name: string): number {
  return fileOf(directory).processes.find((found) => found.name === name)?.pid ?? 0;
}

async function kill(directory: string, name: string): Promise<void> {
  const found = fileOf(directory).processes.find((known) => known.name === name);
  if (found === undefined) throw new Error(`${name} is not on record`);
  process.kill(found.pid, "SIGKILL");
  while (isRunning(found)) await sleep(10);
}

/** A search path on which redis-server says its version and then fails to start. */
function failing(folder: string): string {
  const bin = path.join(folder, "failing");
  mkdirSync(bin, { recursive: true });
  const script =
    '#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.2.0" && exit\necho "I have no room"; exit 1\n';
  writeFileSync(path.join(bin, "redis-server"), script, { mode: 0o755 });
  return `${bin}:${process.env["PATH"]}`;
}

/** Processes whose working directory is in the folder: whatever was started there, known or not. */
function processesIn(directory: string): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => workingDirectoryOf(Number(pid))?.startsWith(directory) === true);
}

function suite(stores: readonly string[], victims: readonly string[]) {
  const folder = temporaryFolder();
  const directory = path.join(folder.path, "stack");
  const up = ["up", "--any-port", "--only", stores.join(",")];

  beforeAll(async () => {
    const { code, stdout, stderr } = await stack(directory, [...up, "--json"]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("Ready after")]);
    const { processes } = JSON.parse(stdout) as { processes: { name: string }[] };
    expect(processes.map(({ name }) => name).sort()).toEqual([...stores].sort());
  }, 240_000);

  afterAll(async () => {
    await stack(directory, ["reset", "--confirm", "stack"]);
    folder[Symbol.dispose]();
  }, 240_000);

  test("what it started outlives it, is healthy, and its secrets are for the owner alone", async () => {
    const { code, health, processes } = await statusOf(directory);
    expect([code, health]).toEqual([0, Object.fromEntries(stores.map((store) => [store, "healthy"]))]);
    for (const { resident_bytes: bytes } of processes) expect(bytes).toBeGreaterThan(1_000_000);
    expect(statSync(path.join(directory, "stack.json")).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(directory, "secrets.json")).mode & 0o777).toBe(0o600);
  });

  test("a second up adopts what runs", async () => {
    const before = fileOf(directory);
    const { code, stderr } = await stack(directory, up);
    expect([code, stderr]).toEqual([0, expect.stringContaining("runs already")]);
    expect(fileOf(directory)).toEqual(before);
  });

  test("a killed process is missed with exit code 5, and the next up brings it back alone", async () => {
    const before = fileOf(directory);
    for (const victim of victims) await kill(directory, victim);
    const missed = await statusOf(directory);
    expect(missed.code).toBe(5);
    for (const victim of victims) expect(missed.health[victim]).toBe("stopped");
    expect((await stack(directory, up)).code).toBe(0);
    expect((await statusOf(directory)).code).toBe(0);
    for (const { name, pid } of before.processes) {
      expect([name, pidOf(directory, name) === pid]).toEqual([name, !victims.includes(name)]);
    }
    // The same ports again: whoever holds an address need not ask for it anew.
    expect(fileOf(directory).settings).toEqual(before.settings);
  }, 240_000);

  test("down leaves no process, and the data where it is", async () => {
    const { code, stdout } = await stack(directory, ["down", "--json"]);
    expect(code).toBe(0);
    const { stopped } = JSON.parse(stdout) as { stopped: { name: string; how: string }[] };
    expect(stopped.map(({ how }) => how)).toEqual(stores.map(() => "ended"));
    await eventually(() => expect(processesIn(directory)).toEqual([]));
    expect(fileOf(directory)).toMatchObject({ processes: [], settings: {} });
    expect(existsSync(path.join(directory, stores[0] as string))).toBe(true);
    expect(await statusOf(directory)).toMatchObject({ code: 0, processes: [] });
  }, 240_000);
}

// Needs redis-server and nginx on this machine; PostgreSQL comes with npm.
describe.skipIf(!hasSmall)("msgr stack with Redis, PostgreSQL and nginx", () => {
  suite(["postgres", "redis", "nginx"], ["nginx", "postgres"]);
});

// Needs Java 17 and Maven: the jars come from a repository.
describe.skipIf(!hasJava)("msgr stack with Cassandra, S3 and Kafka", () => {
  suite(["cassandra", "kafka", "s3"], ["kafka"]);
});

// Needs redis-server and nginx, as above.
describe.skipIf(!hasSmall)("msgr stack in bad hands", () => {
  const folder = temporaryFolder();
  const directory = path.join(folder.path, "stack");
  const up = ["up", "--any-port", "--only", "postgres,redis,nginx"];
  afterAll(async () => {
    await stack(directory, ["reset", "--confirm", "stack"]);
    folder[Symbol.dispose]();
  }, 240_000);

  test("an up that is killed at any moment leaves nothing that the next one does not know", async () => {
    for (const afterMs of [50, 250, 450, 700, 1_200]) {
      const child = start(directory, up);
      // Not a wait for something: any moment will do.
      await sleep(afterMs);
      child.kill("SIGKILL");
      await once(child, "close");
      expect((await stack(directory, ["down"])).code).toBe(0);
      for (const name of ["redis", "nginx"])
        await eventually(() => expect(processesIn(path.join(directory, name))).toEqual([]));
    }
    expect((await stack(directory, up)).code).toBe(0);
  }, 240_000);

  test("two at once: one starts, the other waits and adopts", async () => {
    await stack(directory, ["down"]);
    // Held here until both wait for it, so that they do come at once.
    const lock = await lockFolder(directory, { waitMs: 0, sleep: (milliseconds) => sleep(milliseconds) });
    const children = [start(directory, up), start(directory, up)];
    const said = children.map(() => "");
    children.forEach((child, at) => child.stderr.on("data", (chunk: Buffer) => (said[at] += chunk.toString())));
    const ends = children.map(async (child) => (await once(child, "close"))[0] as number | null);
    await eventually(() => expect(said).toEqual(said.map(() => expect.stringContaining("waiting for") as string)));
    if ("release" in lock) lock.release();
    expect([await Promise.all(ends), said]).toEqual([[0, 0], said]);
    expect(said.filter((all) => all.includes("runs already"))).toHaveLength(1);
    expect(fileOf(directory).processes).toHaveLength(3);
  }, 240_000);

  test("a store that cannot start is quoted, and what was started beside it is stopped", async () => {
    const other = path.join(folder.path, "other");
    const { code, stderr } = await stack(other, up, { PATH: failing(folder.path) });
    expect([code, stderr]).toEqual([4, expect.stringContaining("I have no room")]);
    // The children of a server end a moment after it.
    await eventually(() => expect(processesIn(other)).toEqual([]));
    expect(fileOf(other).processes).toEqual([]);
  }, 240_000);

  test("what is missing is said at once, with exit code 3", async () => {
    const { code, stderr } = await stack(path.join(folder.path, "none"), ["up"], { PATH: folder.path, JAVA_HOME: "" });
    expect(code).toBe(3);
    for (const word of ["Java 17", "redis-server", "nginx", "apt-get install", "brew install"]) {
      expect(stderr).toContain(word);
    }
  });

  test("reset wants the name of the folder, and deletes nothing that is not a stack", async () => {
    const refused = await stack(directory, ["reset"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--confirm stack")]);
    const foreign = await stack(folder.path, ["reset", "--confirm", path.basename(folder.path)]);
    expect([foreign.code, existsSync(directory)]).toEqual([0, true]);
    expect((await stack(directory, ["reset", "--confirm", "stack"])).code).toBe(0);
    expect(existsSync(path.join(directory, "postgres"))).toBe(false);
    await eventually(() => expect(processesIn(directory)).toEqual([]));
  }, 240_000);

  test("logs are read by name, line by line", async () => {
    expect((await stack(directory, up)).code).toBe(0);
    const { code, stdout } = await stack(directory, ["logs", "postgres", "--lines", "3", "--json"]);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { name: string; line: string });
    expect([code, lines.map(({ name }) => name)]).toEqual([0, ["postgres", "postgres", "postgres"]]);
    expect((await stack(directory, ["logs", "postgrse"])).stderr).toContain("Did you mean postgres?");
    expect(readFileSync(path.join(directory, "logs", "postgres.log"), "utf8")).toContain(lines[2]?.line);
  }, 240_000);
});
