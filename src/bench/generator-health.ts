import type { Scenario } from "./scenario/schema.ts";

/**
 * The generator judges itself: past these limits a run says more about the machine that made the load than about the
 * server, and is INVALID rather than slow.
 */
export interface GeneratorLimits {
  readonly generatorCpuMax: number;
  readonly eventLoopLagP99MaxMs: number;
  readonly startLagP99MaxMs: number;
  readonly achievedRateMin: number;
}

export interface WorkerFacts {
  /** CPU time over wall time while under load, share of one core. */
  readonly cpu: number;
  readonly eventLoopLagP99Ms: number;
}

export interface GeneratorFacts {
  readonly workers: readonly WorkerFacts[];
  /** p99 of start − intended start over all open workloads; 0 without any. */
  readonly startLagP99Ms: number;
  /** Operations of open workloads in recorded phases: due, not started for lack of room in flight, ended. */
  readonly asked: number;
  readonly capped: number;
  readonly ended: number;
  readonly inFlightPeak: number;
  readonly inFlightMax: number;
}

export interface GeneratorVerdict extends Omit<GeneratorFacts, "workers"> {
  readonly valid: boolean;
  /** Why it is not; sentences. */
  readonly reasons: readonly string[];
  /** What a reader must know though the run is valid: that the generator was the limit of a ceiling; sentences. */
  readonly notes: readonly string[];
  /** Of the busiest worker. */
  readonly cpu: number;
  readonly eventLoopLagP99Ms: number;
  readonly workers: readonly WorkerFacts[];
}

/**
 * The stores are spoken to directly, and every workload is closed: each asks for as much as there is, so that something
 * has to be saturated, and of a quick store's clients it is this process. Its CPU is the finding then, not a mistake. One
 * open workload is enough for it to be a mistake again: what is asked for at a rate must be asked for in time.
 */
export function seeksCeiling({ target, workloads }: Pick<Scenario, "target" | "workloads">): boolean {
  return target.mode === "store" && workloads.every(({ when }) => when.executor === "closed");
}

export interface GeneratorTask {
  readonly seeksCeiling: boolean;
}

/** A worker beyond the CPU limit makes a run invalid, unless it seeks a ceiling; every other limit always does. */
export function judgeGenerator(
  facts: GeneratorFacts,
  limits: GeneratorLimits,
  task: GeneratorTask = { seeksCeiling: false },
): GeneratorVerdict {
  const cpu = Math.max(0, ...facts.workers.map((worker) => worker.cpu));
  const eventLoopLagP99Ms = Math.max(0, ...facts.workers.map((worker) => worker.eventLoopLagP99Ms));
  const achieved = facts.asked === 0 ? 1 : facts.ended / facts.asked;
  const reasons: string[] = [];
  const notes: string[] = [];
  const complain = (what: string, actual: string, limit: string): void =>
    void reasons.push(`${what} ${actual}, limit ${limit}`);
  if (cpu > limits.generatorCpuMax && task.seeksCeiling) {
    notes.push(`the generator is the limit: CPU of the busiest worker ${percent(cpu)} of a core`);
  } else if (cpu > limits.generatorCpuMax) {
    complain("CPU of the busiest worker", percent(cpu), percent(limits.generatorCpuMax));
  }
  if (eventLoopLagP99Ms > limits.eventLoopLagP99MaxMs) {
    complain("event-loop lag p99", ms(eventLoopLagP99Ms), ms(limits.eventLoopLagP99MaxMs));
  }
  if (facts.startLagP99Ms > limits.startLagP99MaxMs)
    complain("start lag p99", ms(facts.startLagP99Ms), ms(limits.startLagP99MaxMs));
  if (facts.capped > 0)
    complain(`${facts.capped} operations not started:`, "in-flight cap reached", String(facts.inFlightMax));
  if (achieved < limits.achievedRateMin) complain("achieved rate", percent(achieved), percent(limits.achievedRateMin));
  return { ...facts, valid: reasons.length === 0, reasons, notes, cpu, eventLoopLagP99Ms };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
