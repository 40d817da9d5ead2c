import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BenchError } from "../driver/bench-error.ts";
import { flushRedis } from "./flush-redis.ts";
import { storeOfProcess, type StoreName } from "./fault-kinds.ts";
import { isRunning, type RecordedProcess, signalTree } from "./process-tree.ts";

/**
 * Stores of a run's own, to be killed, paused and emptied: started and ended by `msgr stack` as an operator would, on any
 * free ports, in a folder of the run. Nothing of the user's own configuration reaches it, so what is struck can be nobody
 * else's. Each process is known by pid and start time.
 *
 *   up → [kill → restart | pause → resume | flush]* → down
 */
export interface PrivateStackOptions {
  /** Absolute; need not exist. */
  readonly folder: string;
  readonly stores: readonly StoreName[];
  readonly cassandraNodes: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interrupted: AbortSignal;
}

const stackFileName = "stack.json";
const stackFile = z.looseObject({
  processes: z.array(z.looseObject({ name: z.string(), pid: z.int(), startedAt: z.string(), address: z.string() })),
});
type StackProcess = z.infer<typeof stackFile>["processes"][number];

const binary = fileURLToPath(new URL("../../../bin/msgr", import.meta.url));
const saidMax = 4_000;
const goneWithinMs = 10_000;

export class PrivateStack {
  readonly folder: string;
  readonly #options: PrivateStackOptions;
  readonly #paused = new Set<string>();
  #restarts: Promise<void> = Promise.resolve();

  private constructor(options: PrivateStackOptions) {
    this.#options = options;
    this.folder = path.join(options.folder, "stack");
  }

  /** With the schemas in place. Throws BenchError; then nothing runs. */
  static async start(options: PrivateStackOptions): Promise<PrivateStack> {
    const stack = new PrivateStack(options);
    const { stores, cassandraNodes } = options;
    mkdirSync(options.folder, { recursive: true });
    const more = cassandraNodes === 1 ? [] : ["--cassandra-nodes", String(cassandraNodes)];
    await stack.#msgr(["stack", "up", ...stack.#place, "--any-port", "--only", stores.join(","), ...more]);
    try {
      await stack.#msgr(["migrate", "up"]);
    } catch (error) {
      await stack.close();
      throw error;
    }
    return stack;
  }

  get #place(): readonly string[] {
    return ["--directory", this.folder];
  }

  /** SIGKILL to it and its children; resolves when it is gone. */
  async kill(name: string): Promise<void> {
    const found = this.#process(name);
    this.#signal(found, "SIGKILL");
    for (let waitedMs = 0; isRunning(found) && waitedMs < goneWithinMs; waitedMs += 20) await pause(20);
    if (isRunning(found)) throw new BenchError("failed", `${name} (pid ${found.pid}) does not end.`);
  }

  /** What was killed runs again on its data, at its address, when this resolves. */
  async restart(name: string): Promise<void> {
    const { address } = this.#process(name);
    const words = ["stack", "up", ...this.#place, "--any-port", "--only", String(storeOfProcess(name))];
    // One after the other: a command that finds another at work on the folder gives up after a while.
    const restarted = this.#restarts.then(() => this.#msgr(words, false));
    this.#restarts = restarted.catch(() => undefined);
    await restarted;
    const now = this.#process(name).address;
    if (now === address) return;
    throw new BenchError("failed", `${name} was at ${address} and came back at ${now}: somebody else took its port.`);
  }

  pause(name: string): void {
    this.#signal(this.#process(name), "SIGSTOP");
    this.#paused.add(name);
  }

  resume(name: string): void {
    this.#paused.delete(name);
    this.#signal(this.#process(name), "SIGCONT");
  }

  async flush(): Promise<void> {
    await flushRedis(this.#process("redis").address);
  }

  /** Ends all of it, whatever state it is in; the folder is the caller's to remove. */
  async close(): Promise<void> {
    for (const name of this.#paused) signalTree(this.#process(name), "SIGCONT");
    await this.#msgr(["stack", "down", ...this.#place], false);
  }

  #signal(found: StackProcess & RecordedProcess, signal: NodeJS.Signals): void {
    if (signalTree(found, signal)) return;
    throw new BenchError("failed", `${found.name} (pid ${found.pid}) had ended by itself before its ${signal}.`);
  }

  #process(name: string): StackProcess {
    const file = stackFile.parse(JSON.parse(readFileSync(path.join(this.folder, stackFileName), "utf8")));
    const found = file.processes.find((process) => process.name === name);
    if (found !== undefined) return found;
    throw new BenchError("failed", `There is no ${name} among the stores of this run.`);
  }

  /** Runs it to its end. `stops`: whether Ctrl-C ends it; what was struck has to come back whatever happens. */
  #msgr(words: readonly string[], stops = true): Promise<void> {
    const { folder, environment, interrupted } = this.#options;
    const kept = Object.entries(environment).filter(([name]) => !name.startsWith("MSGR_"));
    const child = spawn(process.execPath, [binary, ...words], {
      cwd: folder,
      env: { ...Object.fromEntries(kept), MSGR_STACK__DIRECTORY: this.folder, XDG_CONFIG_HOME: folder },
      stdio: ["ignore", "ignore", "pipe"],
      // Ctrl-C is for the driver; it passes it on where the command knows how to go back.
      detached: true,
    });
    const stop = (): void => void child.kill("SIGTERM");
    if (stops) interrupted.addEventListener("abort", stop, { once: true });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-saidMax)));
    return new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        interrupted.removeEventListener("abort", stop);
        if (code === 0) resolve();
        else
          reject(
            new BenchError("failed", `\`msgr ${words.slice(0, 2).join(" ")}\` ended with ${code}:\n${said.trim()}`),
          );
      });
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
