import { LoadWorker } from "./worker/load-worker.ts";
import type { DriverCommand, DriverMessage, WorkerMessage, WorkerSetup } from "./worker/messages.ts";

/**
 * A load worker's process, forked by the driver and spoken to over its IPC channel only. When the driver is gone the worker
 * ends as well, and takes along the server that the driver can no longer end.
 */
interface Worker {
  handle(command: DriverCommand): void;
  close(): void;
}

let worker: Worker | undefined;
/** What must not outlive the driver; undefined once the driver has all it needs. */
let serverPid: number | undefined;

const tellDriver = (message: WorkerMessage): void => {
  if (process.connected) process.send?.(message);
};

process.on("message", (message: DriverMessage) => {
  if (message.type === "setup") {
    void setUp(message.setup).catch(fail);
    return;
  }
  if (message.type === "finish") serverPid = undefined;
  worker?.handle(message);
});

async function setUp(setup: WorkerSetup): Promise<void> {
  if (setup.target === "server") {
    serverPid = setup.serverPid;
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
  if (serverPid === undefined) return;
  try {
    process.kill(serverPid, "SIGTERM");
  } catch {
    // It has ended already.
  }
});

// Ctrl-C reaches the whole process group; the driver decides what it means.
process.on("SIGINT", () => {});

process.on("uncaughtException", fail);

function fail(error: unknown): void {
  tellDriver({ type: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  worker?.close();
  process.exitCode = 1;
}
