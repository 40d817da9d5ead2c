import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../../src/stack/processes/recorded-process.ts";
import { readStackFile, type StackProcess } from "../../src/stack/stack-file.ts";

/** A Kafka of the test's own, to be killed and stopped, as `msgr stack` starts it. Its data stays until it is disposed of. */
export interface KafkaProcess extends AsyncDisposable {
  /** The same after every start. */
  readonly brokers: string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on what it left behind. */
  restart(): Promise<void>;
}

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");

async function stack(words: readonly string[]): Promise<void> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MSGR_")));
  const child = spawn(process.execPath, [main, "stack", ...words], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...env, NO_COLOR: "1", XDG_CONFIG_HOME: "/nonexistent" },
    cwd: tmpdir(),
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`msgr stack ${words.join(" ")}: exit ${String(code)}\n${said}`);
}

export async function startKafka(): Promise<KafkaProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-kafka-"));
  const place = ["--directory", folder];
  const up = (): Promise<void> => stack(["up", ...place, "--only", "kafka", "--any-port"]);
  const recorded = (): StackProcess => {
    const found = readStackFile(folder)?.processes.find(({ name }) => name === "kafka");
    if (found === undefined) throw new Error("there is no Kafka on record");
    return found;
  };
  const kill = async (): Promise<void> => {
    const found = recorded();
    if (isRunning(found)) process.kill(found.pid, "SIGKILL");
    while (isRunning(found)) await sleep(10);
  };
  await up();
  return {
    brokers: recorded().address,
    signal: (name) => void process.kill(recorded().pid, name),
    kill,
    restart: up,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
