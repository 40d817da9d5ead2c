import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { choosePort } from "../../../src/stack/free-port.ts";
import { endProcess } from "../../../src/stack/processes/end-process.ts";
import { launch, type LaunchPlan } from "../../../src/stack/processes/launch.ts";
import { ownsPort } from "../../../src/stack/processes/owns-port.ts";
import { isRunning, recordedStart } from "../../../src/stack/processes/recorded-process.ts";
import { usageOf } from "../../../src/stack/processes/process-usage.ts";
import { temporaryFolder } from "../../helpers/server-process.ts";

const planIn = (folder: string, script: string): LaunchPlan => ({
  command: "/bin/sh",
  arguments: ["-c", script],
  environment: { PATH: process.env["PATH"] ?? "" },
  workingDirectory: folder,
  log: path.join(folder, "log"),
});

const endOptions = (directory: string) => ({
  signal: "SIGTERM" as const,
  graceMs: 2_000,
  directory,
  sleep: (milliseconds: number) => sleep(milliseconds),
});

/** Waits until something is so; the test's own time limit is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

describe("a process of the stack", () => {
  it("begins when it is told to, keeps its pid, and writes to its log", async () => {
    using folder = temporaryFolder();
    const launched = await launch(planIn(folder.path, "echo begun by $$; exec sleep 60"));
    expect(readFileSync(path.join(folder.path, "log"), "utf8")).toBe("");
    launched.begin();
    await until(() => readFileSync(path.join(folder.path, "log"), "utf8").includes("begun"));
    expect(readFileSync(path.join(folder.path, "log"), "utf8")).toBe(`begun by ${launched.pid}\n`);
    expect(isRunning(launched)).toBe(true);
    expect(usageOf(launched.pid)?.residentBytes).toBeGreaterThan(0);
    expect(await endProcess(launched, endOptions(folder.path))).toBe("ended");
    expect(isRunning(launched)).toBe(false);
    expect(await launched.ended).toBe("ended by SIGTERM");
  });

  it("never begins when the command that started it is killed before it was on record", async () => {
    using folder = temporaryFolder();
    const module = path.resolve(import.meta.dirname, "../../../src/stack/processes/launch.ts");
    const plan = planIn(folder.path, "touch begun; exec sleep 60");
    const script = `
      const { launch } = await import(process.argv[1]);
      const { pid } = await launch(JSON.parse(process.argv[2]));
      console.log(pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", module, JSON.stringify(plan)]);
    const pid = Number(String((await once(child.stdout, "data"))[0]));
    const startedAt = recordedStart(pid) ?? "";
    child.kill("SIGKILL");
    await until(() => !isRunning({ pid, startedAt }));
    expect(existsSync(path.join(folder.path, "begun"))).toBe(false);
  });

  it("is killed when it does not end, with what it started", async () => {
    using folder = temporaryFolder();
    const script = "trap '' TERM; sleep 61 & echo $!; while :; do sleep 0.1; done";
    const launched = await launch(planIn(folder.path, script));
    launched.begin();
    const log = path.join(folder.path, "log");
    await until(() => readFileSync(log, "utf8").includes("\n"));
    const inner = Number(readFileSync(log, "utf8").trim());
    const innerStart = recordedStart(inner) ?? "";
    expect(await endProcess(launched, { ...endOptions(folder.path), graceMs: 300 })).toBe("killed");
    await until(() => !isRunning({ pid: inner, startedAt: innerStart }));
  });

  it("is not mistaken for another that has its pid", async () => {
    using folder = temporaryFolder();
    const launched = await launch(planIn(folder.path, "exec sleep 60"));
    launched.begin();
    const other = { pid: launched.pid, startedAt: `${launched.startedAt}0` };
    expect(await endProcess(other, endOptions(folder.path))).toBe("absent");
    expect(isRunning(launched)).toBe(true);
    await endProcess(launched, endOptions(folder.path));
  });
});

describe("choosePort", () => {
  it("takes the next free port where one is taken, and knows whose that one is", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const ask = { hosts: ["127.0.0.1"], preferred: port, anywhere: false };
    const chosen = await choosePort({ ...ask, taken: new Set() }, () => 0);
    expect(chosen).toBeGreaterThan(port);
    expect(await choosePort({ ...ask, taken: new Set([chosen]) }, () => 0)).toBeGreaterThan(chosen);
    expect(ownsPort(process.pid, port)).toBe(true);
    expect(ownsPort(process.ppid, port)).toBe(false);
    server.close();
    await once(server, "close");
  });
});
