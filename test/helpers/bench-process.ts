import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { parseResult, type BenchResult } from "../../src/bench/report/result.ts";
import { expectExit } from "./expect-exit.ts";

/** `msgr bench` as its user starts it, in a folder of its own, with the temporary folder of its server in there too. */
export interface BenchProcess {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly pid: number;
  stderr(): string;
  /** Resolves when the load has run for so long. */
  reaches(seconds: number): Promise<void>;
  readonly ended: Promise<BenchEnd>;
}

export interface BenchEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** As the result file has it, if there is one. */
  readonly result: BenchResult | undefined;
  /** What is left of the servers' data. */
  readonly leftovers: readonly string[];
}

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");

/** `variables`: of its environment, beside those that every command needs. It does not outlive the test. */
export function startBench(
  folder: string,
  scenario: string,
  words: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): BenchProcess {
  const [file, temporary, results] = ["scenario.yaml", "tmp", "results"].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, scenario);
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [main, "bench", file, "--out", results, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, TMPDIR: temporary, NO_COLOR: "1", ...variables },
  });
  // A driver that is gone takes along what it started.
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = (once(child, "close") as Promise<[number | null]>).then(([code]) => ({
    code,
    stdout,
    stderr,
    result: readResult(results),
    leftovers: readdirSync(temporary).filter((name) => name.startsWith("msgr-")),
  }));
  return {
    process: child,
    pid: child.pid as number,
    stderr: () => stderr,
    ended,
    async reaches(seconds) {
      while (loadSeconds(stderr) < seconds) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended before that:\n${stderr}`);
        await sleep(20);
      }
    },
  };
}

/** How far the load is, by the last line of progress: `2s/1m …`. A busy driver may say nothing about a second. */
function loadSeconds(said: string): number {
  return Number([...said.matchAll(/^(\d+)s\//gm)].at(-1)?.[1] ?? 0);
}

function readResult(folder: string): BenchResult | undefined {
  if (!existsSync(folder)) return undefined;
  const [name] = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return name === undefined ? undefined : parseResult(readFileSync(path.join(folder, name), "utf8"));
}

/** Fails, with all that the run said and missed, unless it ended with this exit code. */
export function expectBenchExit(end: BenchEnd, expected: number): void {
  const { faults = [], thresholds = [] } = end.result ?? {};
  const missed = [...faults, ...thresholds].filter(({ ok }) => !ok);
  expectExit(end, expected, `missed ${JSON.stringify(missed, undefined, 1)}`);
}

/** Processes whose parent is `pid`, with their command lines. Linux only. */
export function childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return parent === pid ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
