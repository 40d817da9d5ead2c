import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { WorkerFailure, WorkerOrder, WorkerReport } from "./worker-messages.ts";

/** A process that was started as a worker, as the operating system and its channel show it. */
export interface LaunchedProcess {
  readonly pid: number;
  /** Dropped when the process is gone. */
  send(order: WorkerOrder): void;
  /** SIGKILL. */
  kill(): void;
  onReport(handler: (report: WorkerReport) => void): void;
  /** Called once, also when the process could not be started. */
  onEnd(handler: (code: number | null, signal: string | null) => void): void;
}

export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it said of its end. */
  readonly failure: WorkerFailure | undefined;
}

/** A worker ended before it did what was waited for. */
export class WorkerEndedError extends Error {
  override readonly name = "WorkerEndedError";
  readonly end: WorkerEnd;

  constructor(pid: number, end: WorkerEnd) {
    super(`Worker ${pid} ${describeEnd(end)}`);
    this.end = end;
  }
}

export function describeEnd({ code, signal, failure }: WorkerEnd): string {
  if (failure !== undefined) return `failed: ${failure.message}`;
  return signal === null ? `ended with exit code ${code}.` : `was ended by ${signal}.`;
}

/**
 * A worker as its supervisor sees it.
 *
 *   started ──"ready"──▶ serving ──openAdmin()──▶ serving, administered ──drain()──▶ ended
 *      └───────────────── the process dies ────────────────────────────────────────▲
 */
export class WorkerProcess {
  readonly pid: number;
  /** Rejects with WorkerEndedError. */
  readonly ready: Promise<{ readonly node: string; readonly url: string }>;
  readonly ended: Promise<WorkerEnd>;
  readonly #process: LaunchedProcess;
  readonly #administered: Deferred<string> = createDeferred();
  #state: "started" | "serving" | "ended" = "started";

  constructor(launched: LaunchedProcess) {
    this.pid = launched.pid;
    this.#process = launched;
    const ready = createDeferred<{ readonly node: string; readonly url: string }>();
    const ended = createDeferred<WorkerEnd>();
    this.ready = ready.promise;
    this.ended = ended.promise;
    // Whoever waits is told; whoever does not, does not care.
    this.ready.catch(() => {});
    this.#administered.promise.catch(() => {});
    let failure: WorkerFailure | undefined;
    launched.onReport((report) => {
      switch (report.report) {
        case "ready":
          this.#state = "serving";
          return ready.resolve(report);
        case "administered":
          return this.#administered.resolve(report.adminUrl);
        case "failed":
          failure = report;
      }
    });
    launched.onEnd((code, signal) => {
      const end = { code, signal, failure };
      this.#state = "ended";
      ready.reject(new WorkerEndedError(this.pid, end));
      this.#administered.reject(new WorkerEndedError(this.pid, end));
      ended.resolve(end);
    });
  }

  get isServing(): boolean {
    return this.#state === "serving";
  }

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Its address. Rejects with WorkerEndedError: a worker whose port is taken ends. */
  openAdmin(port: number): Promise<string> {
    this.#process.send({ order: "open_admin", port });
    return this.#administered.promise;
  }

  drain(options: { readonly listening: boolean }): void {
    this.#process.send({ order: "drain", ...options });
  }

  reload(): void {
    this.#process.send({ order: "reload" });
  }

  kill(): void {
    this.#process.kill();
  }
}
