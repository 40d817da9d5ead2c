import { LoadWorker } from "./worker/load-worker.ts";
import type { DriverMessage, WorkerMessage } from "./worker/messages.ts";

/**
 * A load worker's process, forked by the driver and spoken to over its IPC channel only. When the driver is gone the worker
 * ends as well, and takes along the server that the driver can no longer end.
 */
let worker: LoadWorker | undefined;
/** What must not outlive the driver; undefined once the driver has all it needs. */
let serverPid: number | undefined;

const tellDriver = (message: WorkerMessage): void => {
  if (process.connected) process.send?.(message);
};

process.on("message", (message: DriverMessage) => {
  if (message.type === "setup") {
    serverPid = message.setup.serverPid;
    worker = new LoadWorker(message.setup, tellDriver);
    tellDriver({ type: "done", step: "setup" });
    return;
  }
  if (message.type === "finish") serverPid = undefined;
  worker?.handle(message);
});

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

process.on("uncaughtException", (error) => {
  tellDriver({ type: "failed", reason: error.stack ?? error.message });
  worker?.close();
  process.exitCode = 1;
});
