import cluster from "node:cluster";
import type { LaunchedProcess } from "./worker-process.ts";
import type { WorkerOrder, WorkerReport } from "./worker-messages.ts";

/**
 * Starts this very command line again as a worker (node:cluster), which finds out by `cluster.isWorker` that it is one.
 * The supervisor accepts the connections of the public port and hands them out in turns, so that a worker which is held
 * up gets at most one of them.
 */
export function launchWorker(): LaunchedProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const worker = cluster.fork();
  let hasEnded = false;
  return {
    pid: worker.process.pid ?? 0,
    send(order: WorkerOrder) {
      // A process that ends between the question and the answer makes no difference: its end is told.
      if (!hasEnded && worker.isConnected()) worker.send(order, () => {});
    },
    kill: () => void worker.process.kill("SIGKILL"),
    onReport: (handler) => void worker.on("message", (report: WorkerReport) => handler(report)),
    onEnd(handler) {
      const end = (code: number | null, signal: string | null): void => {
        if (hasEnded) return;
        hasEnded = true;
        handler(code, signal);
      };
      worker.on("exit", end);
      // It could not be started: there will be no exit.
      worker.on("error", () => worker.process.pid === undefined && end(null, null));
    },
  };
}
