import { present } from "../../base/assert.ts";
import { seedFor } from "../data/mix.ts";
import type { Population } from "../data/population.ts";
import { createTargets, type Targets } from "../data/targets.ts";
import { createExecutor } from "../executors/create.ts";
import type { Executor, Share } from "../executors/executor.ts";
import type { Scenario, Workload } from "../scenario/schema.ts";
import { coarseShape, Histogram } from "../stats/histogram.ts";
import type { RunStats } from "../stats/run-stats.ts";
import { Operation, type OperationHost } from "./operation.ts";

/**
 * The workloads of one worker under load: polls the executors, starts what is due and keeps the account of each operation
 * from its intended start to its end. An executor hands over at most `startsPerPollMax` at once, so that a worker that fell
 * behind still hears the answers between two bursts. A workload that runs in some phases only has an executor, a lane, for
 * each stretch of them.
 */
export interface LoadRunner {
  /** False: there was nothing to do. Otherwise the runner ends the operation once. */
  begin(operation: Operation): boolean;
  /** Every millisecond or so. */
  poll?(): void;
}

export interface LoadParts<Runner extends LoadRunner> {
  readonly scenario: Scenario;
  readonly population: Population;
  readonly share: Share;
  readonly stats: RunStats;
  /** `seed` is the workload's own. */
  readonly createRunner: (workload: Workload, targets: Targets, seed: number) => Runner;
  /** Groups of an own user. */
  readonly groupsOf: (user: number) => readonly number[];
  /** ms since t0. */
  readonly nowMs: () => number;
  readonly startsPerPollMax: number;
}

interface Lane {
  readonly index: number;
  readonly name: string;
  readonly runner: LoadRunner;
  readonly executor: Executor | undefined;
  /** When the executor's own time begins, ms since t0. */
  readonly startMs: number;
  readonly endMs: number;
  cappedBefore: number;
}

export class Load<Runner extends LoadRunner> implements OperationHost {
  /** By workload. */
  readonly runners: readonly Runner[];
  /** Of the operations that ended since the last progress. */
  readonly responses = new Histogram(coarseShape);
  readonly errors: Record<string, Record<string, number>> = {};
  startedCount = 0;
  endedCount = 0;
  failedCount = 0;
  readonly #parts: LoadParts<Runner>;
  readonly #lanes: readonly Lane[];
  readonly #running = new Map<Operation, Lane>();
  #peak = 0;
  #stopped = false;
  /** Closed lanes in which an operation has ended: the next one may start at once. */
  readonly #due = new Set<Lane>();

  constructor(parts: LoadParts<Runner>) {
    this.#parts = parts;
    const { scenario, population } = parts;
    const { seed } = scenario;
    const targetsOf = (workload: Workload): Targets =>
      createTargets({ workload, population, seed, groupsOf: parts.groupsOf });
    const made = scenario.workloads.map((workload) => ({ workload, targets: targetsOf(workload) }));
    this.runners = made.map(({ workload, targets }) =>
      parts.createRunner(workload, targets, seedFor(seed, `workload ${workload.name}`)),
    );
    this.#lanes = made.flatMap(({ workload, targets }, index) => this.#createLanes(workload, targets, index));
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
    for (const runner of this.runners) runner.poll?.();
    if (!this.#stopped) for (const lane of this.#lanes) this.#pollLane(lane, nowMs);
  }

  /** Starts what completions have made room for; cheap when there were none. */
  refill(): void {
    if (this.#due.size === 0) return;
    const lanes = [...this.#due];
    this.#due.clear();
    const nowMs = this.nowMs();
    if (!this.#stopped) for (const lane of lanes) this.#pollLane(lane, nowMs);
  }

  /** No more operations; those under way go on. */
  stop(): void {
    this.#stopped = true;
  }

  /** The drain is over: what has not ended never will. */
  abandon(): void {
    this.stop();
    for (const { workload, intendedMs } of this.#running.keys())
      this.#parts.stats.count(workload, "abandoned", intendedMs);
    this.#running.clear();
  }

  ended(operation: Operation, endMs: number, error: string | undefined): void {
    const lane = this.#running.get(operation);
    if (lane === undefined) return;
    this.#running.delete(operation);
    const { workload, intendedMs, startMs, pauseMs } = operation;
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

  withdrawn(operation: Operation): void {
    const lane = this.#running.get(operation);
    if (lane === undefined) return;
    this.#running.delete(operation);
    const { stats } = this.#parts;
    const { workload, intendedMs } = operation;
    stats.count(workload, "asked", intendedMs, -1);
    stats.count(workload, "started", intendedMs, -1);
    stats.count(workload, "skipped", intendedMs);
    lane.executor?.completed();
    if (lane.executor?.open === false) this.#due.add(lane);
  }

  #createLanes(workload: Workload, targets: Targets, index: number): Lane[] {
    const { scenario, population, share, stats } = this.#parts;
    const { name } = workload;
    return stats.timeline.windowsOf(workload.during).map(({ startMs, endMs }, window): Lane => {
      const executor = createExecutor({
        workload,
        targets,
        // Or every stretch would repeat the first one.
        seed: window === 0 ? scenario.seed : seedFor(scenario.seed, `stretch ${window}`),
        users: population.users,
        share,
        inFlightMax: scenario.limits.inFlightMax,
        endMs: endMs - startMs,
      });
      return { index, name, runner: present(this.runners[index], "runner"), executor, startMs, endMs, cappedBefore: 0 };
    });
  }

  #pollLane(lane: Lane, nowMs: number): void {
    const { executor, index, runner, startMs, endMs } = lane;
    if (executor === undefined || nowMs < startMs) return;
    const { stats, startsPerPollMax } = this.#parts;
    executor.poll(
      nowMs - startMs,
      (user, n, dueMs) => {
        const intendedMs = startMs + dueMs;
        const operation = new Operation(this, index, user, n, intendedMs);
        this.#running.set(operation, lane);
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
    // A worker that comes late may find them when the load is over; they were due before.
    const dueMs = Math.min(nowMs, endMs - 1);
    stats.count(index, "capped", dueMs, capped);
    stats.count(index, "asked", dueMs, capped);
  }

  #skip(lane: Lane, operation: Operation): void {
    operation.isOver = true;
    this.#running.delete(operation);
    this.#parts.stats.count(lane.index, "skipped", operation.intendedMs);
    lane.executor?.completed();
  }
}
