import type { RunStats } from "../stats/run-stats.ts";
import type { WorkerFacts } from "../generator-health.ts";
import { Health } from "./health.ts";
import type { Load, LoadRunner } from "./load.ts";
import type { WorkerMessage, WorkerProgress } from "./messages.ts";
import { monotonicMs } from "./monotonic.ts";

/**
 * What a load worker of either kind tells of itself: where it is on the run's time axis, its progress once a second, and
 * its own health from the first recorded phase to the end of the load.
 */
const progressMs = 1_000;

/** The part of a progress that depends on the kind of worker. */
export type OwnProgress = Pick<
  WorkerProgress,
  "delivered" | "faults" | "connected" | "written" | "quiet" | "owed" | "acked" | "heard"
>;

export class WorkerMeter<Runner extends LoadRunner> {
  readonly #stats: RunStats;
  readonly #load: () => Load<Runner>;
  readonly #tellDriver: (message: WorkerMessage) => void;
  readonly #health = new Health();
  #t0Ms = Number.POSITIVE_INFINITY;
  #loadEndMs: number;
  #progressAtMs = 0;
  #isMeasuring = false;
  /** CPU time of this process by phase under load. */
  readonly #phaseCpuMs: number[];
  #phase = -1;
  #phaseCpu = process.cpuUsage();

  constructor(stats: RunStats, load: () => Load<Runner>, tellDriver: (message: WorkerMessage) => void) {
    this.#stats = stats;
    this.#load = load;
    this.#tellDriver = tellDriver;
    this.#loadEndMs = stats.timeline.endMs;
    this.#phaseCpuMs = stats.timeline.phases.map(() => 0);
  }

  get t0Ms(): number {
    return this.#t0Ms;
  }

  sinceT0(): number {
    return monotonicMs() - this.#t0Ms;
  }

  get isLoadOver(): boolean {
    return this.sinceT0() >= this.#loadEndMs;
  }

  start(t0Ms: number): void {
    this.#t0Ms = t0Ms;
  }

  stop(): void {
    this.#loadEndMs = Math.min(this.#loadEndMs, Math.max(0, this.sinceT0()));
  }

  /** Every pulse. `own` is asked once a second, when the progress is due. */
  beat(nowMs: number, own: () => OwnProgress): void {
    this.#measure();
    if (nowMs - this.#progressAtMs < progressMs) return;
    this.#progressAtMs = nowMs;
    const load = this.#load();
    this.#tellDriver({
      type: "progress",
      progress: {
        ...own(),
        started: load.startedCount,
        ended: load.endedCount,
        responses: load.responses.serialise(),
        errors: load.failedCount,
        cpu: this.#health.recentCpu(),
      },
    });
    load.startedCount = 0;
    load.endedCount = 0;
    load.responses.reset();
  }

  /** By phase; of the phases that lasted. */
  get phaseCpuMs(): readonly number[] {
    return this.#phaseCpuMs;
  }

  /** Ends the measuring. */
  facts(): WorkerFacts {
    return this.#isMeasuring ? this.#health.end() : { cpu: 0, eventLoopLagP99Ms: 0 };
  }

  #measure(): void {
    const { timeline } = this.#stats;
    const first = timeline.phases.findIndex((phase) => phase.record);
    if (!this.#isMeasuring && this.sinceT0() >= timeline.startMs(first)) {
      this.#isMeasuring = true;
      this.#health.begin();
    }
    if (this.#isMeasuring && this.isLoadOver) this.#health.end();
    this.#measurePhase();
  }

  #measurePhase(): void {
    const sinceT0 = this.sinceT0();
    const phase = sinceT0 < 0 || this.isLoadOver ? -1 : this.#stats.timeline.phaseAt(sinceT0);
    if (phase === this.#phase) return;
    const { user, system } = process.cpuUsage(this.#phaseCpu);
    if (this.#phase >= 0) this.#phaseCpuMs[this.#phase] = (user + system) / 1_000;
    this.#phase = phase;
    this.#phaseCpu = process.cpuUsage();
  }
}
