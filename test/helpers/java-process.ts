import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jarFolder } from "../../src/stack/jars/fetch-jars.ts";
import type { JarStore } from "../../src/stack/jars/pom.ts";

const javaHome = process.env["JAVA_HOME"];
export const java = javaHome === undefined ? "java" : path.join(javaHome, "bin", "java");

/** Those of the test run's stores. */
export function jarsOf(store: JarStore): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  return jarFolder(path.join(cache, "msgr"), store);
}

export interface JavaProcess {
  readonly name: string;
  /** Where it runs; goes with it. */
  readonly folder: string;
  readonly words: readonly string[];
  /** What it says, and what it has logged itself. */
  readonly log: string;
  readonly isUp: () => Promise<boolean>;
  readonly readyWithinMs: number;
}

/** Resolves when it is up. Nothing of it survives. */
export async function startJava(process: JavaProcess): Promise<AsyncDisposable> {
  const { name, folder, words, log, isUp, readyWithinMs } = process;
  const output = openSync(log, "a");
  const child = spawn(java, words, { cwd: folder, stdio: ["ignore", output, output] });
  closeSync(output);
  const ended = once(child, "close");
  const dispose = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const untilMs = performance.now() + readyWithinMs;
  while (!(await isUp())) {
    if (child.exitCode === null && performance.now() < untilMs) {
      await sleep(100);
      continue;
    }
    const said = readFileSync(log, "utf8").split("\n").slice(-30).join("\n");
    await dispose();
    throw new Error(`${name} did not start:\n${said}`);
  }
  return { [Symbol.asyncDispose]: dispose };
}
