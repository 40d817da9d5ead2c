import { present } from "../../base/assert.ts";
import { seedFor } from "../data/mix.ts";
import type { Population } from "../data/population.ts";
import { createTargets } from "../data/targets.ts";
import { createExecutor } from "../executors/create.ts";
import type { Executor, Share } from "../executors/executor.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Scenario } from "../scenario/schema.ts";
import { coarseShape, Histogram } from "../stats/histogram.ts";
import type { RunStats } from "../stats/run-stats.ts";
import { createWorkload } from "../workloads/create-workload.ts";
import type { WorkloadContext, WorkloadRunner } from "../workloads/workload.ts";
import { Operation, type OperationHost } from "./operation.ts";

/**
 * The workloads of one worker under load: polls the executors, starts what is due and keeps the account of each operation
 * from its intended start to its end. An executor hands over at most `startsPerPollMax` at once, so that a worker that fell
 * behind still hears the answers between two bursts.
 */
export interface LoadParts {
  readonly scenario: Scenario;
  readonly population: Population;
  readonly share: Share;
  readonly stats: RunStats;
  readonly recorder: LedgerRecorder;
  readonly context: Omit<WorkloadContext, "targets" | "seed">;
  /** ms since t0. */
  readonly nowMs: () => number;
}

interface Lane {
  readonly index: number;
  readonly name: string;
  readonly runner: WorkloadRunner;
  readonly executor: Executor | undefined;
  cappedBefore: number;
}

const startsPerPollMax = 256;

export class Load implements OperationHost {
  readonly runners: readonly WorkloadRunner[];
  /** Of the operations that ended since the last progress. */
  readonly responses = new Histogram(coarseShape);
  readonly errors: Record<string, Record<string, number>> = {};
  startedCount = 0;
  endedCount = 0;
  failedCount = 0;
  readonly #parts: LoadParts;
  readonly #lanes: readonly Lane[];
  readonly #running = new Set<Operation>();
  #peak = 0;
  #stopped = false;
  /** Closed lanes in which an operation has ended: the next one may start at once. */
  readonly #due = new Set<Lane>();

  constructor(parts: LoadParts) {
    this.#parts = parts;
    const { scenario, population, share, stats, recorder, context } = parts;
    this.#lanes = scenario.workloads.map((workload, index): Lane => {
      const { seed } = scenario;
      const targets = createTargets({
        workload,
        population,
        seed,
        groupsOf: (user) =>
          context
            .conversationsOf(user)
            .filter((conversation) => !population.isDirect(conversation))
            .map((conversation) => conversation - population.directCount),
      });
      const executor = createExecutor({
        workload,
        targets,
        seed,
        users: population.users,
        share,
        inFlightMax: scenario.limits.inFlightMax,
        endMs: stats.timeline.endMs,
      });
      const own = { ...context, targets, seed: seedFor(seed, `workload ${workload.name}`) };
      return { index, name: workload.name, runner: createWorkload(workload, own, recorder), executor, cappedBefore: 0 };
    });
    this.runners = this.#lanes.map((lane) => lane.runner);
  }

  get inFlight(): number {
    return this.#running.size;
  }

  get inFlightPeak(): number {
    return this.#peak;
  }

  nowMs(): number {
    return this.#parts.nowMs();
  }

  /** Starts what is due. */
  poll(): void {
    const nowMs = this.nowMs();
    for (const lane of this.#lanes) {
      lane.runner.poll?.();
      if (!this.#stopped && nowMs >= 0) this.#pollLane(lane, nowMs);
    }
  }

  /** Starts what completions have made room for; cheap when there were none. */
  refill(): void {
    if (this.#due.size === 0) return;
    const lanes = [...this.#due];
    this.#due.clear();
    const nowMs = this.nowMs();
    if (!this.#stopped && nowMs >= 0) for (const lane of lanes) this.#pollLane(lane, nowMs);
  }

  /** No more operations; those under way go on. */
  stop(): void {
    this.#stopped = true;
  }

  /** The drain is over: what has not ended never will. */
  abandon(): void {
    this.stop();
    for (const { workload, intendedMs } of this.#running) this.#parts.stats.count(workload, "abandoned", intendedMs);
    this.#running.clear();
  }

  ended(operation: Operation, endMs: number, error: string | undefined): void {
    if (!this.#running.delete(operation)) return;
    const { workload, intendedMs, startMs, pauseMs } = operation;
    const lane = present(this.#lanes[workload], "workload");
    this.#parts.stats.ended(workload, intendedMs, startMs - pauseMs, endMs - pauseMs, error === undefined);
    this.endedCount++;
    this.responses.record((endMs - pauseMs - intendedMs) * 1_000);
    if (error !== undefined) {
      this.failedCount++;
      const errors = (this.errors[lane.name] ??= {});
      errors[error] = (errors[error] ?? 0) + 1;
    }
    lane.executor?.completed();
    if (lane.executor?.open === false) this.#due.add(lane);
  }

  #pollLane(lane: Lane, nowMs: number): void {
    const { executor, index, runner } = lane;
    if (executor === undefined) return;
    const { stats } = this.#parts;
    executor.poll(
      nowMs,
      (user, n, intendedMs) => {
        const operation = new Operation(this, index, user, n, intendedMs);
        this.#running.add(operation);
        if (runner.begin(operation)) {
          stats.count(index, "asked", intendedMs);
          stats.started(index, intendedMs, operation.startMs);
          this.startedCount++;
        } else this.#skip(lane, operation);
        this.#peak = Math.max(this.#peak, this.#running.size);
      },
      startsPerPollMax,
    );
    const capped = executor.counts.capped - lane.cappedBefore;
    if (capped === 0) return;
    lane.cappedBefore = executor.counts.capped;
    stats.count(index, "capped", nowMs, capped);
    stats.count(index, "asked", nowMs, capped);
  }

  #skip(lane: Lane, operation: Operation): void {
    operation.isOver = true;
    this.#running.delete(operation);
    this.#parts.stats.count(lane.index, "skipped", operation.intendedMs);
    lane.executor?.completed();
  }
}
