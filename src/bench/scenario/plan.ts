import { faultText } from "../faults/fault-kinds.ts";
import { formatSpanMs } from "../report/format.ts";
import { Timeline } from "../stats/timeline.ts";
import type { Scenario, Workload } from "./schema.ts";

/**
 * What a scenario will ask for, computed before anything starts: rates, connections, workers, memory, time. Estimates say
 * what to expect within a factor of two; they size the workers and warn, and never stop a run.
 */
export interface MachineLimits {
  readonly cores: number;
  /** Open files that one process may have. */
  readonly openFilesMax: number;
}

export interface WorkloadPlan {
  readonly name: string;
  readonly does: string;
  readonly executor: string;
  /** Undefined for closed workloads: as fast as answers come. */
  readonly ratePerSecond: number | undefined;
  readonly inFlight: number | undefined;
  /** Over all phases under load. */
  readonly operations: number | undefined;
  /** Messages pushed to other sockets. */
  readonly deliveriesPerSecond: number | undefined;
}

export interface Plan {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly users: number;
  readonly connections: number;
  readonly conversations: number;
  /** Messages written before the load begins. */
  readonly historyMessages: number;
  readonly workloads: readonly WorkloadPlan[];
  /** When and what: `10s server.kill server-1 for 5s`. */
  readonly faults: readonly string[];
  /** Sums over the open workloads. */
  readonly operationsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly workers: readonly { readonly index: number; readonly users: number; readonly connections: number }[];
  /** Source addresses on the loopback, since one has some 28,000 ports towards one server. */
  readonly sourceAddresses: number;
  readonly memoryBytesPerWorker: number;
  readonly connectMs: number;
  readonly loadMs: number;
  readonly drainMs: number;
  /** Connecting, load and, at the longest, draining; without preparing the history. */
  readonly totalMs: number;
  readonly warnings: readonly string[];
}

const portsPerAddress = 28_000;
/** Open files that a worker needs for other things than its connections. */
const spareFiles = 256;
const connectionBytes = 24 * 1_024;
const userBytes = 1_024;
const sentMessageBytes = 41;
const workerBaseBytes = 90 * 1_024 * 1_024;

/** `workers` undefined: as many as the open files need, and one for each core beside the server's. */
export function computePlan(scenario: Scenario, machine: MachineLimits, workers?: number): Plan {
  const { population, target } = scenario;
  const isStore = target.mode === "store";
  const readsPages = scenario.workloads.some((workload) => workload.do === "store.page");
  const connections = isStore ? 0 : population.users * population.devices;
  const perWorkerMax = Math.max(1, machine.openFilesMax - spareFiles);
  const count = workers ?? workerCount(scenario, machine, Math.ceil(connections / perWorkerMax));
  const loadMs = scenario.phases.reduce((sum, phase) => sum + phase.durationMs, 0);
  const timeline = new Timeline(scenario.phases);
  const plans = scenario.workloads.map((workload) => {
    const windows = timeline.windowsOf(workload.during);
    return planWorkload(
      scenario,
      workload,
      windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0),
    );
  });
  const groupHistory = population.groups.reduce((sum, group) => sum + group.count * group.history, 0);
  const directCount = (population.users * population.contacts) / 2;
  const connectMs = (connections / scenario.connectRate) * 1_000;
  const split = Array.from({ length: count }, (_, index) => {
    const users = Math.max(0, Math.ceil((population.users - index) / count));
    return { index, users, connections: connections === 0 ? 0 : users * population.devices };
  });
  return {
    name: scenario.name,
    description: scenario.description,
    seed: scenario.seed,
    users: population.users,
    connections,
    conversations:
      (isStore ? population.users : directCount) + population.groups.reduce((sum, group) => sum + group.count, 0),
    historyMessages:
      (isStore ? Number(readsPages) * population.users : directCount) * population.history + groupHistory,
    workloads: plans,
    faults: scenario.faults.map((fault) => {
      const span = fault.forMs === 0 ? "" : ` for ${formatSpanMs(fault.forMs)}`;
      return `${formatSpanMs(fault.atMs)} ${faultText(fault)}${span}`;
    }),
    operationsPerSecond: total(plans.map((plan) => plan.ratePerSecond)),
    deliveriesPerSecond: total(plans.map((plan) => plan.deliveriesPerSecond)),
    workers: split,
    sourceAddresses: Math.max(1, Math.ceil(connections / portsPerAddress)),
    memoryBytesPerWorker: memoryOf(scenario, plans, split[0]?.users ?? 0, count),
    connectMs,
    loadMs,
    drainMs: scenario.drainMs,
    totalMs: connectMs + loadMs + scenario.drainMs,
    warnings: warningsOf(scenario, machine, split[0]?.connections ?? 0),
  };
}

/** Two processes beside the server's make sense only on more than two cores, and never more of them than users. */
function workerCount(scenario: Scenario, machine: MachineLimits, needed: number): number {
  const wanted = Math.max(1, Math.min(16, machine.cores - 1));
  return Math.max(needed, Math.min(wanted, scenario.population.users));
}

function planWorkload(scenario: Scenario, workload: Workload, loadMs: number): WorkloadPlan {
  const ratePerSecond = rateOf(scenario, workload);
  return {
    name: workload.name,
    does: workload.do,
    executor: workload.when.executor,
    ratePerSecond,
    inFlight: workload.when.executor === "closed" ? workload.when.options.in_flight : undefined,
    operations: ratePerSecond === undefined ? undefined : Math.round((ratePerSecond * loadMs) / 1_000),
    deliveriesPerSecond: ratePerSecond === undefined ? undefined : ratePerSecond * deliveriesOf(scenario, workload),
  };
}

function rateOf(scenario: Scenario, { when }: Workload): number | undefined {
  switch (when.executor) {
    case "constant-arrival-rate":
      return when.options.rate;
    case "per-user-period":
      return (scenario.population.users * 1_000) / when.options.period;
    case "closed":
      return undefined;
  }
}

/** Sockets that one operation's message reaches, beside the sending one. */
function deliveriesOf(scenario: Scenario, workload: Workload): number {
  const { devices } = scenario.population;
  if (workload.do === "message.send") return 2 * devices - 1;
  return workload.do === "group.send" ? workload.options.members * devices - 1 : 0;
}

function memoryOf(scenario: Scenario, plans: readonly WorkloadPlan[], users: number, workers: number): number {
  const { population } = scenario;
  const memberships = population.groups.reduce((sum, group) => sum + group.count * group.members, 0) / workers;
  const streams = population.groups.reduce((sum, group) => sum + group.count * group.members ** 2, 0) / workers;
  const direct = users * population.contacts;
  const sent = plans.reduce((sum, plan) => {
    const sends = plan.does === "message.send" || plan.does === "group.send";
    return sends ? sum + (plan.operations ?? 0) : sum;
  }, 0);
  const ledger =
    sent * sentMessageBytes + (direct + memberships) * population.devices * 60 + (2 * direct + streams) * 40;
  const sockets = users * population.devices * connectionBytes;
  return Math.round(
    workerBaseBytes + users * userBytes + sockets + ledger + plans.length * scenario.phases.length * 600_000,
  );
}

function warningsOf(scenario: Scenario, machine: MachineLimits, connections: number): string[] {
  const warnings: string[] = [];
  if (connections > machine.openFilesMax - spareFiles) {
    warnings.push(
      `${connections} connections a worker, but ${machine.openFilesMax} open files: raise ulimit -n or the number of workers`,
    );
  }
  const open = scenario.workloads.filter((workload) => workload.when.executor !== "closed");
  if (open.length > 0 && open.length < scenario.workloads.length) {
    warnings.push("closed and open workloads together: the closed ones take what the open ones leave, and both suffer");
  }
  return warnings;
}

function total(rates: readonly (number | undefined)[]): number {
  return rates.reduce<number>((sum, rate) => sum + (rate ?? 0), 0);
}
