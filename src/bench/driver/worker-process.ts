import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { BenchError } from "./bench-error.ts";
import type { DriverMessage, WorkerMessage, WorkerProgress, WorkerReport, WorkerStep } from "../worker/messages.ts";

/** One load worker as the driver sees it: commands go out, `done` comes back; a worker that dies fails what waits for it. */
const workerFile = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../worker.ts" : "../worker.js", import.meta.url),
);

export class WorkerProcess {
  readonly index: number;
  progress: WorkerProgress | undefined;
  report: WorkerReport | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #acked: Uint32Array[] = [];
  readonly #waiting = new Map<WorkerStep, Deferred<void>>();
  #failure: BenchError | undefined;

  constructor(index: number, nodeFlags: readonly string[]) {
    this.index = index;
    this.#child = fork(workerFile, [String(index)], {
      serialization: "advanced",
      execArgv: [...nodeFlags],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#exited = once(this.#child, "exit");
    this.#child.on("message", (message) => this.#hear(message as unknown as WorkerMessage));
    this.#child.on("error", (error) => this.#fail(error.message));
    this.#child.on("exit", (code, signal) => this.#fail(`it ended with ${signal ?? `code ${code}`}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  tell(message: DriverMessage): void {
    if (this.#child.connected) this.#child.send(message);
  }

  /** Resolves when the step is done; rejects with BenchError when the worker fails. */
  async perform(message: DriverMessage, step: WorkerStep): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const done = createDeferred<void>();
    this.#waiting.set(step, done);
    this.tell(message);
    await done.promise;
  }

  /** What it had acked since the last call, of all its progresses. */
  takeAcked(): readonly Uint32Array[] {
    const acked = this.#acked;
    this.#acked = [];
    return acked;
  }

  get failure(): BenchError | undefined {
    return this.#failure;
  }

  /** Ends the process, politely first. Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
    await this.#disconnect();
    await this.#exited;
    clearTimeout(timer);
  }

  /** Not as when the driver is gone: what it has started is still in its hands. */
  async #disconnect(): Promise<void> {
    if (!this.#child.connected) return;
    const release: DriverMessage = { type: "owned", owned: undefined };
    await new Promise<void>((resolve) => this.#child.send(release, () => resolve()));
    if (this.#child.connected) this.#child.disconnect();
  }

  #hear(message: WorkerMessage): void {
    switch (message.type) {
      case "done": {
        const done = this.#waiting.get(message.step);
        this.#waiting.delete(message.step);
        done?.resolve();
        break;
      }
      case "progress":
        this.progress = message.progress;
        if (message.progress.acked !== undefined) this.#acked.push(message.progress.acked);
        break;
      case "report":
        this.report = message.report;
        break;
      case "failed":
        this.#fail(message.reason);
        break;
    }
  }

  #fail(reason: string): void {
    this.#failure ??= new BenchError("failed", `Load worker ${this.index} failed: ${reason}`);
    for (const done of this.#waiting.values()) done.reject(this.#failure);
    this.#waiting.clear();
  }
}
