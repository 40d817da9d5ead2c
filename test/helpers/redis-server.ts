import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "./free-port.ts";

/** Whether this machine has one: suites on one of their own are left out otherwise. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A Redis of the test's own, to be killed, stopped, filled and emptied. Nothing of it survives. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
}

/** `words`: further words of its command line, such as `--maxmemory 2mb`. */
export async function startRedis(...words: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-redis-"));
  const port = await freePort();
  let child = await spawnRedis(port, folder, words);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child.kill(name),
    kill,
    async restart() {
      await kill();
      child = await spawnRedis(port, folder, words);
    },
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function spawnRedis(port: number, folder: string, words: readonly string[]) {
  const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", [...fixed, ...words], { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("Ready to accept connections")) {
      // Read on, so that a full pipe does not stop it.
      child.stdout.on("data", () => {}).resume();
      return child;
    }
  }
  throw new Error(`redis-server did not start: ${said}`);
}
