import { monitorEventLoopDelay } from "node:perf_hooks";
import type { WorkerFacts } from "../generator-health.ts";

/** CPU and event-loop lag of this process between `begin` and `end`. */
const resolutionMs = 10;

export class Health {
  readonly #lag = monitorEventLoopDelay({ resolution: resolutionMs });
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #facts: WorkerFacts | undefined;
  #lastCpuUs = 0;
  #lastAtMs = performance.now();

  begin(): void {
    this.#cpu = process.cpuUsage();
    this.#atMs = performance.now();
    this.#lag.reset();
    this.#lag.enable();
  }

  /** Only the first call counts. */
  end(): WorkerFacts {
    if (this.#facts !== undefined) return this.#facts;
    const { user, system } = process.cpuUsage(this.#cpu);
    const wallMs = Math.max(1, performance.now() - this.#atMs);
    // The monitor measures the distance of its own ticks; what is beyond their spacing is lag.
    const lagMs = this.#lag.count === 0 ? 0 : Math.max(0, this.#lag.percentile(99) / 1e6 - resolutionMs);
    this.#lag.disable();
    this.#facts = { cpu: (user + system) / 1_000 / wallMs, eventLoopLagP99Ms: lagMs };
    return this.#facts;
  }

  /** Share of a core since the last call. */
  recentCpu(): number {
    const { user, system } = process.cpuUsage();
    const nowMs = performance.now();
    const share = (user + system - this.#lastCpuUs) / 1_000 / Math.max(1, nowMs - this.#lastAtMs);
    this.#lastCpuUs = user + system;
    this.#lastAtMs = nowMs;
    return Math.min(share, 16);
  }
}
