import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createSystemRandom } from "../../base/random.ts";
import { Directory } from "../data/directory.ts";
import { Population } from "../data/population.ts";
import { FaultStage } from "../faults/fault-stage.ts";
import { needsFronts } from "../faults/needs.ts";
import { Account, type LedgerVerdict } from "../ledger/account.ts";
import { type PresenceVerdict, toFaults } from "../presence/presence-verdict.ts";
import { formatCount } from "../report/format.ts";
import type { BenchResult } from "../report/result.ts";
import { computePlan, type Plan } from "../scenario/plan.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { ServerGrowth } from "../servers/server-growth.ts";
import type { OwnedByDriver, WorkerReport } from "../worker/messages.ts";
import { monotonicMs } from "../worker/monotonic.ts";
import { assembleResult } from "./assemble-result.ts";
import { BenchError } from "./bench-error.ts";
import { InterruptedError, type BenchReporter } from "./bench-reporter.ts";
import { type DataFolder, makeDataFolder } from "./data-folder.ts";
import { describeEnd, describeServer } from "./describe-server.ts";
import { HttpClient } from "./http-client.ts";
import { readMachineLimits } from "./machine-facts.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { planPresence, type PresencePlan } from "./presence-plan.ts";
import { provision, type Provisioned } from "./provision.ts";
import type { StoreAccess } from "./store-access.ts";
import { StoreMonitor } from "./store-monitor.ts";
import { scanLogs } from "./scan.ts";
import { growthsOf, settle } from "./watch-growth.ts";
import { WorkerPool } from "./worker-pool.ts";
import { removeFolder, Target, type GivenTarget } from "./target.ts";

/**
 * One run from a checked scenario to a result.
 *
 *   stores → servers → users and groups → workers → connect → history → load, faults → drain → reports → logs read back → verdict
 *
 * Actors: the servers' and the workers' processes, the faults of the scenario, the signal that interrupts. However it ends,
 * no process of it is left and its data is removed. A first signal during the load stops the load only; what was done is
 * still judged. A server that dies, and was not meant to, is started again on its data, so that the question what it lost
 * gets an answer.
 */
export interface BenchOptions {
  readonly scenario: Scenario;
  /** Undefined: as the plan finds fit. */
  readonly workers: number | undefined;
  /** Undefined: start a server. */
  readonly target: GivenTarget | undefined;
  /** The real stores; needed for the cluster profile and for scenarios on the stores. */
  readonly stores: StoreAccess | undefined;
  /** Certificates (PEM) of authorities that servers and stores of somebody else's are believed by, beside the machine's. */
  readonly authorities: readonly string[];
  /** Reads where the stores are that `msgr stack up` has started in a folder. */
  readonly storesOf: (stackFolder: string) => StoreAccess;
  readonly dataParents: readonly string[];
  readonly keepData: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly serverFlags: readonly string[];
  readonly workerFlags: readonly string[];
  readonly interrupted: AbortSignal;
  readonly reporter: BenchReporter;
}

/** With fewer, what a connection takes drowns in what a process takes anyway. */
const connectionsForMemoryMin = 5_000;
const settleMs = 1_000;
/** A store that has just come back answers everybody else before it answers us. */
const patienceAfterFaultsMs = 30_000;
/** What one worker may take beyond the plan before a step counts as stuck. */
const stepSlackMs = 120_000;

export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const run = new BenchRun(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class BenchRun {
  readonly #options: BenchOptions;
  readonly #plan: Plan;
  readonly #run = randomInt(2 ** 32);
  readonly #startedAt = new Date();
  readonly #startMs = monotonicMs();
  readonly #population: Population;
  readonly #workers: WorkerPool;
  #folder: DataFolder | undefined;
  #stage: FaultStage | undefined;
  #target: Target | undefined;
  /** Of the cluster profile. */
  #monitor: StoreMonitor | undefined;
  /** Undefined: presence is not checked. */
  #presence: PresencePlan | undefined;
  #rssPerConnectionBytes: number | undefined;
  /** With the drain, ms since t0. */
  #loadEndMs = 0;

  constructor(options: BenchOptions) {
    const { scenario, workers, workerFlags, interrupted, reporter } = options;
    this.#options = options;
    this.#plan = computePlan(scenario, readMachineLimits(), workers);
    this.#population = new Population({ ...scenario.population, seed: scenario.seed });
    const count = this.#plan.workers.length;
    const lost = (): Error | undefined => this.#stage?.failure ?? this.#lost();
    const holds = (): boolean => this.#stage?.isBusy === true;
    const isDone = (): boolean => {
      const nowMs = this.#workers.nowMs();
      return scenario.endsAfterFaults && nowMs >= scenario.loadMsMin && this.#stage?.isSeen(nowMs) === true;
    };
    const hooks = { lost, holds, isDone };
    this.#workers = new WorkerPool({ scenario, count, nodeFlags: workerFlags, interrupted, reporter, ...hooks });
  }

  async run(): Promise<BenchResult> {
    const { scenario, reporter } = this.#options;
    for (const warning of this.#plan.warnings) reporter.warn(warning);
    reporter.stage("starting the server and the load workers");
    const stage = await this.#openStage();
    const target = await this.#openTarget(stage);
    await this.#openMonitor(stage);
    const provisioned = await this.#provision(target);
    await this.#connect(target, provisioned);
    await this.#load(target, stage);
    const reports = await this.#workers.collect();
    const presence = this.#presence?.verdict(reports, stage.events);
    const ledger = await this.#closeAccount(target, provisioned, reports, presence);
    const stats = this.#workers.mergeStats(reports);
    return assembleResult({
      id: `${scenario.name}-${this.#startedAt.toISOString().replaceAll(/[:.]/g, "-")}`,
      scenario,
      plan: this.#plan,
      stats,
      reports,
      ledger,
      presence,
      faults: stage.outcomes(stats),
      server: describeServer(target, {
        scenario,
        givenUrl: this.#options.target?.url,
        recordedSpan: this.#workers.recordedSpan(),
        rssPerConnectionBytes: this.#rssPerConnectionBytes,
        isInMemory: this.#folder?.inMemory === true,
      }),
      growths: this.#growths(target, stage),
      stores: this.#monitor?.results(...this.#workers.recordedSpan()),
      startedAt: this.#startedAt,
      wallMs: monotonicMs() - this.#startMs,
      interrupted: this.#wasInterrupted(target),
    });
  }

  /** A signal that came after the load has changed nothing. */
  #wasInterrupted({ died }: Target): boolean {
    return (
      this.#options.interrupted.aborted && this.#workers.stoppedMs !== Number.POSITIVE_INFINITY && died === undefined
    );
  }

  async close(): Promise<void> {
    this.#monitor?.close();
    await this.#stage?.stop();
    await this.#workers.stop();
    await this.#target?.close();
    await this.#stage?.close();
    if (this.#folder === undefined) return;
    if (this.#options.keepData) this.#options.reporter.note(`The server's data stays in ${this.#folder.path}`);
    else removeFolder(this.#folder);
  }

  async #openStage(): Promise<FaultStage> {
    const {
      scenario,
      target: given,
      dataParents,
      stores,
      storesOf,
      environment,
      interrupted,
      reporter,
    } = this.#options;
    if (given === undefined) this.#folder = makeDataFolder(dataParents);
    this.#stage = await FaultStage.open({
      scenario,
      folder: this.#folder?.path ?? "",
      stores: given === undefined && scenario.target.profile === "cluster" ? stores : undefined,
      storesOf,
      environment,
      interrupted,
      tell: (text) => reporter.stage(text),
    });
    this.#tellOwned();
    return this.#stage;
  }

  async #openTarget(stage: FaultStage): Promise<Target> {
    const { scenario, target: given, environment, serverFlags, reporter } = this.#options;
    this.#target = await Target.open({
      given,
      folder: this.#folder,
      servers: scenario.target.servers,
      isFronted: needsFronts(scenario),
      connections: this.#plan.connections,
      stores: stage.storeEnvironment,
      environment,
      nodeFlags: serverFlags,
    });
    this.#tellOwned();
    if (this.#folder?.inMemory === true && scenario.target.profile === "embedded") {
      reporter.warn("the server's data lies in a file system in memory: nothing is durable. Set TMPDIR to a disk.");
    }
    return this.#target;
  }

  /** The server has said by being ready that its stores will do. */
  async #openMonitor({ stores }: FaultStage): Promise<void> {
    if (stores === undefined) return;
    const { capture } = this.#options.scenario;
    this.#monitor = await StoreMonitor.open(stores, capture, ["cassandra", "postgres", "redis"]);
  }

  async #load(target: Target, stage: FaultStage): Promise<void> {
    const nowMs = (): number => this.#workers.nowMs();
    // What is struck does not answer, and nothing here may wait for it.
    const sample = oneAtATime(async () => {
      await target.sample(nowMs);
      await this.#monitor?.sample(nowMs());
    });
    const loading = this.#workers.load(() => {
      target.sampleMemory(nowMs());
      return sample();
    });
    stage.start(target, nowMs, () => this.#tellOwned());
    await loading;
    await stage.stop();
    if (stage.failure !== undefined) throw stage.failure;
    this.#loadEndMs = nowMs();
    if (target.died === undefined) await settle(target, nowMs, () => this.#growths(target, stage));
  }

  #growths(target: Target, { events }: FaultStage): readonly ServerGrowth[] {
    const [recordedMs] = this.#workers.recordedSpan();
    return growthsOf(target, events, { recordedMs, loadEndMs: this.#loadEndMs });
  }

  /** Whoever kills the driver, at whatever stage, leaves nothing of it running. */
  #tellOwned(): void {
    const owned: OwnedByDriver = { serverPids: this.#target?.pids ?? [], stackFolder: this.#stage?.stackFolder };
    this.#workers.tell({ type: "owned", owned });
  }

  async #provision(target: Target): Promise<Provisioned> {
    const population = this.#population;
    const users = formatCount(population.users);
    this.#options.reporter.stage(`making ${users} users and ${formatCount(population.groupCount)} groups`);
    const api = new HttpClient(target.url, 16);
    try {
      const made = await provision(population, this.#run, target.admin, api, createSystemRandom());
      this.#presence = await planPresence(this.#options.scenario, {
        population,
        userIds: made.ids.userIds,
        run: this.#run,
        servers: target.urls.length,
        admin: target.admin,
      });
      return made;
    } finally {
      api.close();
      this.#checkInterrupted();
    }
  }

  async #connect(target: Target, made: Provisioned): Promise<void> {
    const { scenario, reporter } = this.#options;
    const plan = this.#plan;
    const measured = isMemoryWanted(scenario, plan);
    // What making users has left in the old process would hide what connections take.
    if (measured) await target.restart();
    if (measured) this.#tellOwned();
    await this.#setUpWorkers(target, made);
    reporter.stage(`connecting ${formatCount(plan.connections)} devices at ${formatCount(scenario.connectRate)}/s`);
    if (measured) await this.#connectMeasured(target);
    else await this.#workers.perform({ type: "connect", share: 1 }, plan.connectMs + stepSlackMs);
    if (plan.historyMessages === 0) return;
    reporter.stage(`writing ${formatCount(plan.historyMessages)} messages of history`);
    // Some hundred a second is the least that a disk gives; a run that waits longer than that will not get better.
    await this.#workers.perform({ type: "write_history" }, (plan.historyMessages / 100) * 1_000 + stepSlackMs);
  }

  /** The slope between a tenth and all: what the process takes once, for its first connections, is not theirs. */
  async #connectMeasured(target: Target): Promise<void> {
    const { connections, connectMs } = this.#plan;
    const sizes: number[] = [];
    for (const share of [0.1, 1]) {
      await this.#workers.perform({ type: "connect", share }, connectMs + stepSlackMs);
      await sleep(settleMs);
      const bytes = await target.admin.collectedRssBytes();
      if (bytes !== undefined) sizes.push(bytes);
    }
    const [few, all] = sizes;
    if (few !== undefined && all !== undefined) {
      this.#rssPerConnectionBytes = Math.max(0, all - few) / (connections * 0.9);
    }
  }

  async #setUpWorkers(target: Target, { ids, devices }: Provisioned): Promise<void> {
    const { scenario, authorities } = this.#options;
    const { devicesPerUser, users } = this.#population;
    const count = this.#workers.size;
    // A loopback address reaches the loopback only.
    const isLocal = /^(localhost|127\..*|\[::1\])$/.test(new URL(target.url).hostname);
    const addresses = isLocal ? this.#plan.sourceAddresses : 1;
    await this.#workers.setUp((index) => {
      const own = Array.from({ length: users }, (_, user) => user).filter((user) => user % count === index);
      return {
        target: "server",
        scenario: { ...scenario, thresholds: [] },
        share: { index, count },
        run: this.#run,
        authorities,
        urls: target.urls,
        ids,
        devices: own.flatMap((user) => devices.slice(user * devicesPerUser, (user + 1) * devicesPerUser)),
        sourceAddresses:
          addresses > 1 ? Array.from({ length: addresses }, (_, address) => `127.0.0.${address + 2}`) : [],
        presence: this.#presence?.setupOf(index, count),
      };
    });
  }

  async #closeAccount(
    target: Target,
    { ids, devices }: Provisioned,
    reports: readonly WorkerReport[],
    presence: PresenceVerdict | undefined,
  ): Promise<LedgerVerdict> {
    const { scenario, reporter } = this.#options;
    const population = this.#population;
    const { devicesPerUser } = population;
    const account = new Account(
      reports.flatMap(({ observations }) => observations ?? []),
      {
        conversationCount: population.conversationCount,
        devicesPerUser,
        devicesOf: (conversation) =>
          population
            .membersOf(conversation)
            .flatMap((user) => Array.from({ length: devicesPerUser }, (_, device) => user * devicesPerUser + device)),
      },
    );
    if (target.died !== undefined) {
      reporter.warn(
        `the server died (${describeEnd(target.died)}); starting it again to read what it kept\n${target.died.said}`.trim(),
      );
      await target.restart();
      this.#tellOwned();
    }
    const http = new HttpClient(target.url, 8, { patienceMs: scenario.faults.length > 0 ? patienceAfterFaultsMs : 0 });
    try {
      await scanLogs({
        population,
        directory: new Directory(population, ids, () => true),
        devices,
        http,
        account,
        run: this.#run,
        seed: scenario.seed,
        logShare: scenario.verify.log,
        listShare: scenario.verify.unread,
        progress: (done, total) =>
          reporter.stage(`reading the logs back: ${formatCount(done)} of ${formatCount(total)} conversations`),
      });
    } finally {
      http.close();
    }
    if (presence !== undefined) account.add(toFaults(presence));
    return account.verdict();
  }

  #checkInterrupted(): void {
    if (this.#options.interrupted.aborted) throw new InterruptedError("interrupted while preparing");
  }

  #lost(): BenchError | undefined {
    const died = this.#target?.died;
    if (died === undefined) return undefined;
    return new BenchError("unreachable", `The server died: ${describeEnd(died)}\n${died.said}`);
  }
}

function isMemoryWanted(scenario: Scenario, plan: Plan): boolean {
  const asked = scenario.thresholds.some(({ selector }) => selector.name === "server_rss_per_connection");
  return asked || plan.connections >= connectionsForMemoryMin;
}
