import { createDeferred } from "../../base/deferred.ts";
import type { WorkerOrder, WorkerReport } from "./worker-messages.ts";

/** The worker's end of the way to its supervisor. When the supervisor dies, Node ends the worker at once. */
export interface WorkerChannel {
  /** Resolves when the supervisor has it, or is gone. */
  report(report: WorkerReport): Promise<void>;
  /** Resolves when the supervisor wants the worker to leave. */
  readonly drainAsked: Promise<{ readonly listening: boolean }>;
  onReload: () => void;
  /** Resolves with the port for the administrative server. */
  readonly adminAsked: Promise<number>;
}

export function openWorkerChannel(): WorkerChannel {
  const drainAsked = createDeferred<{ readonly listening: boolean }>();
  const adminAsked = createDeferred<number>();
  const channel: WorkerChannel = {
    report: (report) => new Promise((resolve) => process.send?.(report, undefined, undefined, () => resolve())),
    drainAsked: drainAsked.promise,
    adminAsked: adminAsked.promise,
    onReload: () => {},
  };
  process.on("message", (order: WorkerOrder) => {
    switch (order.order) {
      case "open_admin":
        return adminAsked.resolve(order.port);
      case "drain":
        return drainAsked.resolve({ listening: order.listening });
      case "reload":
        return channel.onReload();
    }
  });
  return channel;
}
