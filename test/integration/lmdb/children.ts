import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A real process that works on a data folder; killed when it is disposed of. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Lines it has written so far. */
  readonly lines: readonly string[];
  /** Resolves when it has written so many lines; rejects if it ends before. */
  written(lines: number): Promise<void>;
  /** SIGKILL, and waits until every line it wrote was read. */
  kill(): Promise<void>;
  ended(): Promise<number | null>;
}

/** Runs a script from source. */
export function startChild(script: URL, ...args: readonly string[]): Child {
  const path = fileURLToPath(script);
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const waiting: { readonly lines: number; resolve(): void; reject(error: Error): void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const waiter of waiting) if (lines.length >= waiter.lines) waiter.resolve();
  });
  const closed = once(child, "close").then(() => {
    for (const waiter of waiting) waiter.reject(new Error(`${path} ended after ${lines.length} lines`));
    return child.exitCode;
  });
  return {
    pid: pidOf(child),
    lines,
    written: (count) =>
      new Promise((resolve, reject) => {
        if (lines.length >= count) resolve();
        else waiting.push({ lines: count, resolve, reject });
      }),
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    ended: () => closed,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the child did not start");
  return child.pid;
}
