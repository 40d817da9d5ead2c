import { setTimeout as sleep } from "node:timers/promises";
import { formatCount, formatSpanMs } from "../report/format.ts";
import type { Scenario } from "../scenario/schema.ts";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import type { DriverMessage, WorkerReport, WorkerSetup, WorkerStep } from "../worker/messages.ts";
import { monotonicMs } from "../worker/monotonic.ts";
import { BenchError } from "./bench-error.ts";
import { InterruptedError, type BenchReporter } from "./bench-reporter.ts";
import { Drain } from "./drain.ts";
import { mergeProgress } from "./run-progress.ts";
import { WorkerProcess } from "./worker-process.ts";

/** The load workers of a run, from their setup to their reports, on one time axis. */
export interface WorkerPoolOptions {
  readonly scenario: Scenario;
  readonly count: number;
  readonly nodeFlags: readonly string[];
  readonly interrupted: AbortSignal;
  readonly reporter: BenchReporter;
  /** Why the run cannot go on; the load ends then, and a step fails. */
  readonly lost: () => Error | undefined;
  /** Something else than the load is under way; the drain begins when it is over. */
  readonly holds?: () => boolean;
  /** All that the load was for has been seen. */
  readonly isDone?: () => boolean;
}

/** Between the command to start and t0: every worker has heard of it by then. */
const startDelayMs = 300;

export class WorkerPool {
  readonly timeline: Timeline;
  readonly #options: WorkerPoolOptions;
  readonly #workers: readonly WorkerProcess[];
  #t0Ms = 0;
  #stoppedMs = Number.POSITIVE_INFINITY;

  constructor(options: WorkerPoolOptions) {
    const { scenario, count, nodeFlags } = options;
    this.#options = options;
    this.timeline = new Timeline(scenario.phases);
    this.#workers = Array.from({ length: count }, (_, index) => new WorkerProcess(index, nodeFlags));
  }

  get size(): number {
    return this.#workers.length;
  }

  /** When the load ended before its time, ms since t0; otherwise Infinity. */
  get stoppedMs(): number {
    return this.#stoppedMs;
  }

  /** ms since t0. */
  nowMs(): number {
    return monotonicMs() - this.#t0Ms;
  }

  /** From the first recorded phase to the end of the load and a second more; ms since t0. */
  recordedSpan(): readonly [fromMs: number, toMs: number] {
    const { timeline } = this;
    const fromMs = timeline.startMs(timeline.phases.findIndex((phase) => phase.record));
    return [fromMs, Math.min(timeline.endMs, this.#stoppedMs) + 1_000];
  }

  async setUp(setupOf: (index: number) => WorkerSetup): Promise<void> {
    await Promise.all(
      this.#workers.map((worker, index) => worker.perform({ type: "setup", setup: setupOf(index) }, "setup")),
    );
  }

  tell(message: DriverMessage): void {
    for (const worker of this.#workers) worker.tell(message);
  }

  /** Lets every worker do a step; fails when one does, when it takes too long, or when the run is lost. */
  async perform(message: DriverMessage & { readonly type: WorkerStep }, timeoutMs: number): Promise<void> {
    const step = message.type;
    const done = Promise.all(this.#workers.map((worker) => worker.perform(message, step)));
    // Its rejection is taken below, or by the next turn of the loop.
    done.catch(() => {});
    const deadlineMs = monotonicMs() + timeoutMs;
    let isDone = false;
    while (!isDone) {
      isDone = await Promise.race([done.then(() => true), sleep(250, false)]);
      this.#checkInterrupted();
      const lost = this.#options.lost();
      if (lost !== undefined) throw lost;
      if (!isDone && monotonicMs() > deadlineMs) {
        const connected = this.#workers.reduce((sum, worker) => sum + (worker.progress?.connected ?? 0), 0);
        const what = `${step} took more than ${formatSpanMs(timeoutMs)}; ${formatCount(connected)} devices are connected`;
        throw new BenchError("failed", what);
      }
    }
  }

  /** From t0 until the drain is over (drain.ts). `everySecond` runs under load and while draining. */
  async load(everySecond: () => Promise<void>): Promise<void> {
    const { scenario, interrupted, reporter, lost, holds, isDone } = this.#options;
    this.#t0Ms = monotonicMs() + startDelayMs;
    this.tell({ type: "start", t0Ms: this.#t0Ms });
    let { endMs } = this.timeline;
    const drain = new Drain(scenario.drainMs);
    for (let second = 1; ; second++) {
      await pause(this.#t0Ms + second * 1_000 - monotonicMs(), interrupted);
      const atMs = this.nowMs();
      const ends = interrupted.aborted || lost() !== undefined || isDone?.() === true;
      if (ends && this.#stoppedMs === Number.POSITIVE_INFINITY) {
        this.#stoppedMs = Math.max(0, Math.min(endMs, atMs));
        endMs = this.#stoppedMs;
        this.tell({ type: "stop" });
        if (interrupted.aborted && lost() === undefined) reporter.stage("interrupted: draining");
      }
      for (const { failure } of this.#workers) if (failure !== undefined) throw failure;
      if (lost() !== undefined) return;
      await everySecond();
      const progresses = this.#workers.map((worker) => worker.progress);
      reporter.progress(mergeProgress(progresses, this.timeline, atMs));
      this.#exchangeAcked(drain);
      if (atMs > endMs && holds?.() === true) endMs = atMs;
      else if (drain.isOver({ atMs, endMs, progresses })) return;
    }
  }

  /** What a sender of one worker had acked is owed to the devices of all. */
  #exchangeAcked(drain: Drain): void {
    const pairs = this.#workers.flatMap((worker) => worker.takeAcked().flatMap((acked) => [...acked]));
    if (pairs.length === 0 || this.size === 1) return;
    this.tell({ type: "acked", pairs: Uint32Array.from(pairs), version: drain.nextVersion() });
  }

  async collect(): Promise<readonly WorkerReport[]> {
    const serverDied = this.#options.lost() !== undefined;
    await Promise.all(this.#workers.map((worker) => worker.perform({ type: "finish", serverDied }, "finish")));
    return this.#workers.map((worker) => {
      if (worker.report === undefined) throw new BenchError("failed", `Load worker ${worker.index} gave no report.`);
      return worker.report;
    });
  }

  mergeStats(reports: readonly WorkerReport[]): RunStats {
    const stats = new RunStats(this.#options.scenario.workloads, this.timeline);
    for (const report of reports) stats.merge(report.stats);
    stats.stoppedMs = this.#stoppedMs;
    return stats;
  }

  /** Ends the processes. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #checkInterrupted(): void {
    if (this.#options.interrupted.aborted) throw new InterruptedError("interrupted while preparing");
  }
}

/** Ends early when the signal comes, and takes its whole time if that was before. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) await sleep(Math.max(0, ms));
  else await sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
}
