import { Population } from "../data/population.ts";
import { StoreLedger } from "../ledger/store-ledger.ts";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import { StoreClients } from "../workloads/store-clients.ts";
import { createStoreWorks } from "../workloads/store-create.ts";
import { StoreRunner, type StoreWork } from "../workloads/store-work.ts";
import { Load } from "./load.ts";
import type { DriverCommand, StoreWorkerSetup, WorkerMessage } from "./messages.ts";
import { WorkerMeter } from "./worker-meter.ts";
import { monotonicMs } from "./monotonic.ts";

/**
 * A load worker that speaks to the stores itself: its part of every workload, and at the end what it reads back of it. The
 * driver's messages move it from step to step (messages.ts); answers of the stores and a pulse of a millisecond do the rest.
 */
const pulseMs = 1;
/** Answers come by the thousand in one turn of the event loop, and as many operations may follow. */
const startsPerPollMax = 8_192;

export class StoreWorker {
  readonly #tellDriver: (message: WorkerMessage) => void;
  readonly #clients: StoreClients;
  readonly #works: readonly StoreWork[];
  readonly #stats: RunStats;
  readonly #load: Load<StoreRunner>;
  readonly #meter: WorkerMeter<StoreRunner>;
  readonly #ledger = new StoreLedger();
  readonly #pulse: NodeJS.Timeout;

  private constructor(
    { scenario, share }: StoreWorkerSetup,
    clients: StoreClients,
    works: readonly StoreWork[],
    tellDriver: (message: WorkerMessage) => void,
  ) {
    this.#tellDriver = tellDriver;
    this.#clients = clients;
    this.#works = works;
    this.#stats = new RunStats(scenario.workloads, new Timeline(scenario.phases));
    this.#meter = new WorkerMeter(this.#stats, () => this.#load, tellDriver);
    this.#load = new Load({
      scenario,
      population: new Population({ ...scenario.population, seed: scenario.seed }),
      share,
      stats: this.#stats,
      createRunner: (workload) => {
        const work = works[scenario.workloads.indexOf(workload)] as StoreWork;
        return new StoreRunner(work, () => this.#load.refill());
      },
      groupsOf: () => [],
      nowMs: () => this.#meter.sinceT0(),
      startsPerPollMax,
    });
    this.#pulse = setInterval(() => this.#beat(), pulseMs);
  }

  /** Rejects when a store does not let it in. */
  static async open(setup: StoreWorkerSetup, tellDriver: (message: WorkerMessage) => void): Promise<StoreWorker> {
    const { scenario, share, run, stores } = setup;
    const clients = new StoreClients(stores, `bench-${run.toString(36)}-${share.index}`, (error) =>
      tellDriver({ type: "failed", reason: error instanceof Error ? error.message : String(error) }),
    );
    const works = await createStoreWorks({
      scenario,
      share,
      run,
      clients,
      nowMs: () => Date.now(),
      keyPrefix: stores.redis.keyPrefix,
    });
    return new StoreWorker(setup, clients, works, tellDriver);
  }

  handle(command: DriverCommand): void {
    switch (command.type) {
      case "write_history":
        void this.#prepare();
        break;
      case "start":
        this.#meter.start(command.t0Ms);
        break;
      case "stop":
        this.#load.stop();
        this.#meter.stop();
        break;
      case "finish":
        void this.#finish();
        break;
      case "connect":
      case "acked":
        break;
    }
  }

  close(): void {
    clearInterval(this.#pulse);
    this.#load.stop();
    // A store that does not answer must not keep the process: the driver ends it then.
    void this.#clients.close().catch(() => {});
  }

  #beat(): void {
    this.#load.poll();
    this.#meter.beat(monotonicMs(), () => ({
      delivered: 0,
      faults: this.#ledger.faults.total(),
      connected: 0,
      written: 0,
      quiet: this.#meter.isLoadOver && this.#load.inFlight === 0,
    }));
  }

  async #prepare(): Promise<void> {
    await Promise.all(this.#works.map(async (work) => work.prepare?.()));
    this.#tellDriver({ type: "done", step: "write_history" });
  }

  /** A rejection anywhere here reaches the driver as the failure of this worker (worker.ts). */
  async #finish(): Promise<void> {
    this.#load.abandon();
    const facts = this.#meter.facts();
    for (const work of this.#works) await work.verify?.(this.#ledger);
    this.#tellDriver({
      type: "report",
      report: {
        stats: this.#stats.serialise(),
        account: this.#ledger.account(),
        errors: this.#load.errors,
        clients: noClients,
        facts,
        phaseCpuMs: this.#meter.phaseCpuMs,
        inFlightPeak: this.#load.inFlightPeak,
      },
    });
    this.close();
    this.#tellDriver({ type: "done", step: "finish" });
  }
}

const noClients = {
  reconnects: 0,
  resends: 0,
  syncs: 0,
  rangesSent: 0,
  receiptsSent: 0,
  receiptsRefused: 0,
  duplicateRows: 0,
  violations: 0,
} as const;
