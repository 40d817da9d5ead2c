import { decideExitCode } from "../exit-code.ts";
import { judgeGenerator, type GeneratorVerdict, seeksCeiling } from "../generator-health.ts";
import type { LedgerVerdict } from "../ledger/account.ts";
import { bystanderDelays } from "../faults/bystander-delays.ts";
import type { FaultOutcome } from "../faults/fault-event.ts";
import { recoveryMaxMs, slowestRecoveryMs } from "../faults/recovery.ts";
import type { ProcessFacts } from "../measurements.ts";
import type { PresenceVerdict } from "../presence/presence-verdict.ts";
import { leftWithinMs, onlineWithinMs, silentWithinMs } from "../presence/whereabouts.ts";
import { collectWorkloads, describe } from "../report/collect.ts";
import { parseCondition } from "../metrics.ts";
import { type BenchResult, type FaultResult, resultVersion, type ServerResult } from "../report/result.ts";
import type { Plan } from "../scenario/plan.ts";
import type { Scenario } from "../scenario/schema.ts";
import { leftInQueues, memoryGrowthBytes, type ServerGrowth } from "../servers/server-growth.ts";
import { type BystanderDelays, bystanderP99Ratio } from "../stats/bystanders.ts";
import { Histogram } from "../stats/histogram.ts";
import type { CounterName } from "../stats/counters.ts";
import type { RunStats } from "../stats/run-stats.ts";
import { type Demand, judgeThresholds } from "../thresholds.ts";
import type { ClientCounters, WorkerReport } from "../worker/messages.ts";
import { growthDemandsOf } from "./growth-demands.ts";
import { describeMachine, describeVersions } from "./machine-facts.ts";

/** Everything that a run has brought together → its result, with the verdicts and the exit code that follow from it. */
export interface RunFacts {
  readonly id: string;
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly stats: RunStats;
  readonly reports: readonly WorkerReport[];
  readonly ledger: LedgerVerdict;
  readonly server: BenchResult["server"];
  /** Empty: the run had none. */
  readonly growths: readonly ServerGrowth[];
  /** Undefined: it was not checked. */
  readonly presence?: PresenceVerdict | undefined;
  /** Undefined: the scenario has none. */
  readonly faults?: readonly FaultOutcome[] | undefined;
  /** Undefined: the run was on no real stores. */
  readonly stores: BenchResult["stores"];
  readonly startedAt: Date;
  readonly wallMs: number;
  readonly interrupted: boolean;
}

/** `msgr bench` ends so when the server under test died, or a signal stopped the run, and nothing was found broken. */
export const serverLostExitCode = 4;
export const interruptedExitCode = 130;

export function assembleResult(facts: RunFacts): BenchResult {
  const { scenario, plan, stats, reports, ledger, server, interrupted } = facts;
  const generator = judgeRun(facts);
  const bystanders = bystanderDelays(stats, facts.faults ?? []);
  const process: ProcessFacts = {
    generatorCpu: generator.cpu,
    serverRssBytes: server.rssPeakBytes,
    serverRssPerConnectionBytes: server.rssPerConnectionBytes,
    recoveryMs: slowestRecoveryMs(facts.faults ?? []),
    memoryGrowthBytes: memoryGrowthBytes(facts.growths),
    queueEntriesLeft: leftInQueues(facts.growths, "entries"),
    queueBytesLeft: leftInQueues(facts.growths, "bytes"),
    bystanderP99Ratio: bystanderP99Ratio(bystanders),
    presence: facts.presence,
  };
  const thresholds = judgeThresholds(
    [...demandsOf(facts), ...growthDemandsOf(scenario), ...presenceDemandsOf(facts)],
    stats,
    process,
  );
  const verdict = decideExitCode({
    correct: ledger.ok,
    generatorValid: generator.valid,
    thresholdsHeld: thresholds.every((threshold) => threshold.ok),
  });
  const cutShort = server.died !== undefined ? serverLostExitCode : interrupted ? interruptedExitCode : undefined;
  return {
    version: resultVersion,
    id: facts.id,
    name: scenario.name,
    description: scenario.description,
    seed: scenario.seed,
    startedAt: facts.startedAt.toISOString(),
    recordedMs: stats.recordedSeconds() * 1_000,
    wallMs: Math.round(facts.wallMs),
    versions: describeVersions(),
    machine: describeMachine(),
    scenario,
    users: plan.users,
    connections: plan.connections,
    workers: plan.workers.length,
    workloads: collectWorkloads(stats, scenario.workloads, mergeErrors(reports), addPhaseCpu(reports)),
    ledger,
    ...(facts.presence === undefined ? {} : { presence: facts.presence }),
    generator,
    thresholds,
    server,
    ...(facts.growths.length === 0 ? {} : { servers: facts.growths.map(serverResult) }),
    ...bystandersOf(bystanders),
    ...(facts.stores === undefined ? {} : { stores: facts.stores }),
    ...(facts.faults === undefined ? {} : { faults: facts.faults.map(faultResult) }),
    clients: addClients(reports),
    ...resyncOf(stats),
    refusals: addCounts(reports.map(({ refusals = {} }) => refusals)),
    interrupted,
    exitCode: ledger.ok && cutShort !== undefined ? cutShort : verdict,
  };
}

/** Promise I12 holds in every scenario with faults, unless it says better what it wants. */
function demandsOf({ scenario, faults = [] }: RunFacts): readonly Demand[] {
  const { thresholds, demandsRecovery } = scenario;
  const isSaid = thresholds.some(({ selector }) => selector.name === "recovery");
  // A fault that did not take place is a miss in any case.
  const areDone = faults.every(({ atMs, endMs }) => atMs !== undefined && endMs !== undefined);
  if (scenario.faults.length === 0 || isSaid || (!demandsRecovery && areDone)) return thresholds;
  const condition = parseCondition("recovery", "max", `${recoveryMaxMs}ms`);
  return [...thresholds, { selector: { name: "recovery" }, conditions: [{ ...condition, text: "30s" }] }];
}

/** Promise I6 likewise, as far as there was something to see. Faults that were added to a scenario demand no times. */
function presenceDemandsOf({ scenario, presence }: RunFacts): readonly Demand[] {
  if (presence === undefined || (scenario.faults.length > 0 && !scenario.demandsRecovery)) return [];
  const bounds = [
    ["presence_online", presence.online, onlineWithinMs],
    ["presence_left", presence.left, leftWithinMs],
    ["presence_silent", presence.silent, silentWithinMs],
  ] as const;
  return bounds.flatMap(([name, { count }, withinMs]) => {
    if (count === 0 || scenario.thresholds.some(({ selector }) => selector.name === name)) return [];
    const condition = parseCondition(name, "max", `${withinMs}ms`);
    return [{ selector: { name }, conditions: [{ ...condition, text: `${withinMs / 1_000}s` }] }];
  });
}

function resyncOf({ resyncs }: RunStats): Pick<BenchResult, "resync"> {
  const { attemptsMean, histogram } = resyncs;
  return attemptsMean === undefined ? {} : { resync: { took: describe(histogram), attemptsMean } };
}

function serverResult({ server, processes, memory, queues }: ServerGrowth): ServerResult {
  return {
    server,
    processes,
    ...(memory === undefined ? {} : { memory: withoutGap(memory) }),
    queues: queues.map(withoutGap),
  };
}

function withoutGap<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

function bystandersOf(delays: BystanderDelays | undefined): Pick<BenchResult, "bystanders"> {
  if (delays === undefined) return {};
  const { before, during, untilMs } = delays;
  const p99Ratio = bystanderP99Ratio(delays);
  const sides = { before: describe(before), during: describe(during), untilMs: Math.round(untilMs) };
  return { bystanders: { ...sides, ...(p99Ratio === undefined ? {} : { p99Ratio }) } };
}

function faultResult(outcome: FaultOutcome): FaultResult {
  const { do: kind, which, plannedAtMs, forMs, atMs, endMs, firstSuccessMs, recoveryMs, ok } = outcome;
  const times = { atMs, endMs, firstSuccessMs, recoveryMs };
  const known = Object.entries(times).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return {
    do: kind,
    which,
    plannedAtMs,
    forMs,
    ...Object.fromEntries(known.map(([name, ms]) => [name, Math.round(ms)])),
    ok,
  };
}

function addCounts(each: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of each) for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

function judgeRun({ scenario, stats, reports, interrupted }: RunFacts): GeneratorVerdict {
  const open = scenario.workloads.filter((workload) => workload.when.executor !== "closed");
  const cells = open.flatMap(({ name }) => stats.recordedCells(name));
  const sum = (counter: CounterName): number => cells.reduce((total, cell) => total + cell.counters.get(counter), 0);
  const waits = new Histogram();
  for (const cell of cells) waits.merge(cell.latency.wait);
  const { generatorCpuMax, eventLoopLagP99MaxMs, startLagP99MaxMs, achievedRateMin, inFlightMax } = scenario.limits;
  return judgeGenerator(
    {
      workers: reports.map((report) => report.facts),
      startLagP99Ms: waits.percentile(0.99) / 1_000,
      asked: sum("asked"),
      capped: sum("capped"),
      ended: sum("succeeded") + sum("failed"),
      inFlightPeak: reports.reduce((total, report) => total + report.inFlightPeak, 0),
      inFlightMax,
    },
    {
      generatorCpuMax,
      eventLoopLagP99MaxMs,
      startLagP99MaxMs,
      // What was under way when somebody stopped the run was not asked for in vain.
      achievedRateMin: interrupted ? 0 : achievedRateMin,
    },
    { seeksCeiling: seeksCeiling(scenario) },
  );
}

function mergeErrors(reports: readonly WorkerReport[]): Record<string, Record<string, number>> {
  const merged: Record<string, Record<string, number>> = {};
  for (const { errors } of reports) {
    for (const [workload, codes] of Object.entries(errors)) {
      const into = (merged[workload] ??= {});
      for (const [code, count] of Object.entries(codes)) into[code] = (into[code] ?? 0) + count;
    }
  }
  return merged;
}

function addPhaseCpu(reports: readonly WorkerReport[]): readonly number[] {
  const [first, ...others] = reports.map(({ phaseCpuMs }) => phaseCpuMs);
  return (first ?? []).map((cpuMs, phase) => others.reduce((sum, other) => sum + (other[phase] ?? 0), cpuMs));
}

function addClients(reports: readonly WorkerReport[]): ClientCounters {
  const total = (name: keyof ClientCounters): number => reports.reduce((sum, { clients }) => sum + clients[name], 0);
  return {
    reconnects: total("reconnects"),
    resends: total("resends"),
    syncs: total("syncs"),
    rangesSent: total("rangesSent"),
    receiptsSent: total("receiptsSent"),
    receiptsRefused: total("receiptsRefused"),
    duplicateRows: total("duplicateRows"),
    violations: total("violations"),
  };
}
