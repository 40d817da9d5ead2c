import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { BenchError } from "../driver/bench-error.ts";
import type { FaultEvent } from "./fault-event.ts";
import { type FaultSpec, faultText } from "./fault-kinds.ts";

/**
 * Lets the faults of a scenario happen at their times. A process that is started again may take longer than the scenario
 * thought; the faults that were to come after it then come so much later, and one for which the load is too short does
 * not take place.
 *
 *   each fault: waits → under way → over | not taken place
 *
 * However a run ends, `stop` brings back what was struck.
 */
export interface FaultActions {
  /** The fault begins. */
  begin(fault: FaultSpec): Promise<void>;
  /** It ends: resolves when what was struck is whole again. Called once after `begin`, unless that failed. */
  end(fault: FaultSpec): Promise<void>;
}

export interface FaultRunnerOptions {
  readonly faults: readonly FaultSpec[];
  readonly actions: FaultActions;
  /** When the load ends, ms since t0. */
  readonly loadMs: number;
  /** ms since t0. */
  readonly nowMs: () => number;
  /** Resolves after so many ms, and at once when the signal comes. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly tell: (text: string) => void;
}

interface Course {
  atMs: number | undefined;
  endMs: number | undefined;
  /** Resolves with its end; with its planned one if it did not take place. */
  readonly over: Deferred<number>;
}

export class FaultRunner {
  readonly #options: FaultRunnerOptions;
  readonly #courses: readonly Course[];
  readonly #stopping = new AbortController();
  #running: Promise<unknown> | undefined;
  #isOver = false;
  #failure: BenchError | undefined;

  constructor(options: FaultRunnerOptions) {
    this.#options = options;
    this.#courses = options.faults.map(() => ({ atMs: undefined, endMs: undefined, over: createDeferred<number>() }));
  }

  /** t0 has been set. */
  start(): void {
    this.#running = Promise.all(this.#options.faults.map((fault, index) => this.#run(fault, index))).finally(
      () => (this.#isOver = true),
    );
  }

  /** Something is down, or is to be struck. */
  get isBusy(): boolean {
    return this.#running !== undefined && !this.#isOver;
  }

  /** Why the run cannot go on: something could not be struck, or did not come back. */
  get failure(): BenchError | undefined {
    return this.#failure;
  }

  get events(): readonly FaultEvent[] {
    return this.#options.faults.map((fault, index) => {
      const { atMs, endMs } = this.#courses[index] as Course;
      return { do: fault.do, which: fault.which, plannedAtMs: fault.atMs, forMs: fault.forMs, atMs, endMs };
    });
  }

  /** No further faults; those under way end now. Resolves when they have. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(fault: FaultSpec, index: number): Promise<void> {
    const course = this.#courses[index] as Course;
    try {
      const startMs = await this.#startOf(fault);
      await this.#until(startMs);
      const isLate = this.#options.nowMs() + fault.forMs >= this.#options.loadMs;
      if (!this.#stopping.signal.aborted && !isLate) await this.#strike(fault, course);
    } catch (error) {
      this.#failure ??=
        error instanceof BenchError ? error : new BenchError("failed", `${faultText(fault)}: ${String(error)}`);
      this.#stopping.abort();
    } finally {
      course.over.resolve(course.endMs ?? fault.atMs + fault.forMs);
    }
  }

  async #strike(fault: FaultSpec, course: Course): Promise<void> {
    const { actions, nowMs, tell } = this.#options;
    tell(faultText(fault));
    course.atMs = nowMs();
    await actions.begin(fault);
    await this.#until(course.atMs + fault.forMs);
    await actions.end(fault);
    course.endMs = nowMs();
  }

  /** Later than planned by as much as any that should be over by then is late. */
  async #startOf(fault: FaultSpec): Promise<number> {
    const starts = this.#options.faults.map(async (before, index) => {
      const plannedEndMs = before.atMs + before.forMs;
      if (before === fault || plannedEndMs > fault.atMs || (before.forMs === 0 && before.atMs === fault.atMs)) return 0;
      return (await (this.#courses[index] as Course).over.promise) + fault.atMs - plannedEndMs;
    });
    return Math.max(fault.atMs, ...(await Promise.all(starts)));
  }

  async #until(atMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const waitMs = atMs - this.#options.nowMs();
    if (!signal.aborted && waitMs > 0) await this.#options.wait(waitMs, signal);
  }
}
