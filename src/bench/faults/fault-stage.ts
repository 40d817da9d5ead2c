import { setTimeout as sleep } from "node:timers/promises";
import { InterruptedError } from "../driver/bench-reporter.ts";
import type { StoreAccess } from "../driver/store-access.ts";
import type { Target } from "../driver/target.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { RunStats } from "../stats/run-stats.ts";
import { intervalMsOf } from "../stats/time-series.ts";
import { createFaultActions } from "./fault-actions.ts";
import type { FaultEvent, FaultOutcome } from "./fault-event.ts";
import { FaultRunner } from "./fault-runner.ts";
import { linkedStores, needsPrivateStack, privateStores } from "./needs.ts";
import { PrivateStack } from "./private-stack.ts";
import { judgeRecovery } from "./recovery.ts";
import { openStoreLinks, type StoreLinks } from "./store-links.ts";

/**
 * What the faults of a run need around it: stores of its own where stores are struck, proxies before those whose links are,
 * and the one who lets it all happen. For a run without faults it is the stores as they were given, and nothing else.
 */
export interface FaultStageOptions {
  readonly scenario: Scenario;
  /** Of the run. */
  readonly folder: string;
  /** Undefined: the run has none, or wants some of its own. */
  readonly stores: StoreAccess | undefined;
  /** Reads where the stores are that `msgr stack up` has started in a folder. */
  readonly storesOf: (stackFolder: string) => StoreAccess;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interrupted: AbortSignal;
  /** What happens now. */
  readonly tell: (text: string) => void;
}

/** Intervals that show a recovery, with the one in which the fault ended, and some time more. */
const intervalsToSee = 4;
const spareMs = 1_000;
/** Who was cut off for long may wait for as long, and at most so long, before the next attempt. */
const backoffMsMax = 20_000;

export class FaultStage {
  /** Those of the run, wherever they come from. */
  readonly stores: StoreAccess | undefined;
  /** What servers are told about them. */
  readonly storeEnvironment: Readonly<Record<string, string>> | undefined;
  readonly #options: FaultStageOptions;
  readonly #stack: PrivateStack | undefined;
  readonly #links: StoreLinks | undefined;
  #runner: FaultRunner | undefined;

  private constructor(
    options: FaultStageOptions,
    stack: PrivateStack | undefined,
    stores: StoreAccess | undefined,
    links: StoreLinks | undefined,
  ) {
    this.#options = options;
    this.#stack = stack;
    this.stores = stores;
    this.#links = links;
    this.storeEnvironment = links?.environment;
  }

  /** Throws BenchError; then nothing of it runs. */
  static async open(options: FaultStageOptions): Promise<FaultStage> {
    const { scenario } = options;
    const stack = needsPrivateStack(scenario) ? await startStack(options) : undefined;
    try {
      const stores = stack === undefined ? options.stores : options.storesOf(stack.folder);
      const links = stores && (await openStoreLinks(stores.environment, linkedStores(scenario)));
      return new FaultStage(options, stack, stores, links);
    } catch (error) {
      await stack?.close();
      throw error;
    }
  }

  /** Undefined: there is none. */
  get stackFolder(): string | undefined {
    return this.#stack?.folder;
  }

  /** From now on faults happen at their times. */
  start(target: Target, nowMs: () => number, serverChanged: () => void): void {
    const { scenario, interrupted, tell } = this.#options;
    if (scenario.faults.length === 0) return;
    const storeLinks = this.#links?.links ?? new Map();
    const runner = new FaultRunner({
      faults: scenario.faults,
      actions: createFaultActions({ target, stack: this.#stack, storeLinks, serverChanged }),
      loadMs: loadMsOf(scenario),
      nowMs,
      wait,
      tell,
    });
    this.#runner = runner;
    interrupted.addEventListener("abort", () => void runner.stop(), { once: true });
    runner.start();
  }

  /** Something is struck, or will be. */
  get isBusy(): boolean {
    return this.#runner?.isBusy === true;
  }

  /** All faults are over, and long enough for a recovery to be seen. */
  isSeen(nowMs: number): boolean {
    const seenAfterMs = intervalsToSee * intervalMsOf(loadMsOf(this.#options.scenario)) + spareMs;
    const seenMs = this.#runner?.events.map(({ atMs = 0, endMs = 0 }) => {
      return endMs + Math.min(backoffMsMax, endMs - atMs) + seenAfterMs;
    });
    return seenMs !== undefined && !this.isBusy && nowMs >= Math.max(...seenMs);
  }

  /** Why the run cannot go on. */
  get failure(): Error | undefined {
    return this.#runner?.failure;
  }

  /** What was done until now. */
  get events(): readonly FaultEvent[] {
    return this.#runner?.events ?? [];
  }

  /** Undefined: the scenario has no faults. */
  outcomes(stats: RunStats): readonly FaultOutcome[] | undefined {
    if (this.#runner === undefined) return undefined;
    const closed = this.#options.scenario.workloads.map(({ when }) => when.executor === "closed");
    return judgeRecovery(this.#runner.events, { stats, closed });
  }

  /** What was struck comes back; no more faults. */
  async stop(): Promise<void> {
    await this.#runner?.stop();
  }

  /** The servers have ended before. */
  async close(): Promise<void> {
    await Promise.all([...(this.#links?.links.values() ?? [])].map((link) => link[Symbol.asyncDispose]()));
    await this.#stack?.close();
  }
}

function loadMsOf({ phases }: Scenario): number {
  return phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** Rejects when it is stopped, which ends the wait as well. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

async function startStack(options: FaultStageOptions): Promise<PrivateStack> {
  const { scenario, folder, environment, interrupted, tell } = options;
  const stores = privateStores(scenario);
  tell(`starting stores of its own: ${stores.join(", ")}`);
  const cassandraNodes = scenario.target.cassandra_nodes;
  try {
    return await PrivateStack.start({ folder, stores, cassandraNodes, environment, interrupted });
  } catch (error) {
    if (interrupted.aborted) throw new InterruptedError("interrupted while preparing", { cause: error });
    throw error;
  }
}
