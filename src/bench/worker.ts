import { spawn } from "node:child_process";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { LoadWorker } from "./worker/load-worker.ts";
import type { DriverCommand, DriverMessage, OwnedByDriver, WorkerMessage, WorkerSetup } from "./worker/messages.ts";

/**
 * A load worker's process, forked by the driver and spoken to over its IPC channel only. When the driver is gone the worker
 * ends as well, and takes along the servers and stores that the driver can no longer end.
 */
interface Worker {
  handle(command: DriverCommand): void;
  close(): void;
}

let worker: Worker | undefined;
/** What must not outlive the driver, unless it says that it ends that by itself. */
let owned: OwnedByDriver | undefined;
/** One of them is enough to end the stores. */
const isFirst = process.argv[2] === "0";

const tellDriver = (message: WorkerMessage): void => {
  if (process.connected) process.send?.(message);
};

process.on("message", (message: DriverMessage) => {
  if (message.type === "setup") {
    void setUp(message.setup).catch(fail);
    return;
  }
  if (message.type === "owned") {
    ({ owned } = message);
    return;
  }
  worker?.handle(message);
});

async function setUp(setup: WorkerSetup): Promise<void> {
  const { authorities } = setup;
  if (authorities.length > 0) setDefaultCACertificates([...getCACertificates("default"), ...authorities]);
  if (setup.target === "server") {
    worker = new LoadWorker(setup, tellDriver);
  } else {
    // The drivers of the stores are loaded by those who use them only.
    const { StoreWorker } = await import("./worker/store-worker.ts");
    worker = await StoreWorker.open(setup, tellDriver);
  }
  tellDriver({ type: "done", step: "setup" });
}

process.on("disconnect", () => {
  worker?.close();
  if (owned === undefined) return;
  for (const pid of owned.serverPids) endServer(pid);
  if (isFirst && owned.stackFolder !== undefined) endStack(owned.stackFolder);
});

/** Also one that a fault has stopped. */
function endServer(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}

function endStack(folder: string): void {
  const binary = fileURLToPath(new URL("../../bin/msgr", import.meta.url));
  const words = [binary, "stack", "down", "--directory", folder];
  spawn(process.execPath, words, { stdio: "ignore", detached: true, cwd: folder }).unref();
}

// Ctrl-C reaches the whole process group; the driver decides what it means.
process.on("SIGINT", () => {});

process.on("uncaughtException", fail);

function fail(error: unknown): void {
  tellDriver({ type: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  worker?.close();
  process.exitCode = 1;
}
