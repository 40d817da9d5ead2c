import type { Uuid } from "../../protocol/ids.ts";
import type { DirectoryIds } from "../data/directory.ts";
import type { Share } from "../executors/executor.ts";
import type { StoreAccess } from "../driver/store-access.ts";
import type { WorkerFacts } from "../generator-health.ts";
import type { LedgerObservations } from "../ledger/recorder.ts";
import type { PresenceObservations } from "../presence/observations.ts";
import type { StoreAccount } from "../ledger/store-account.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { SerialisedStats } from "../stats/run-stats.ts";

/**
 * What driver and workers tell each other, once a second at most: nothing travels between processes for an operation.
 * The driver commands one step at a time and waits until every worker has reported it done:
 *
 *   setup → connect → write_history → start (at the common t0) → [stop] → finish
 *
 * A worker on the stores connects in `setup`, writes what is to be read in `write_history`, and reads back in `finish`.
 *
 * Times are monotonicMs(), which all processes of one machine share.
 */
export type WorkerSetup = ServerWorkerSetup | StoreWorkerSetup;

interface CommonSetup {
  /** Without thresholds. */
  readonly scenario: Scenario;
  readonly share: Share;
  /** Identifies the run in payloads, [0, 2³²). */
  readonly run: number;
  /** Certificates (PEM) to believe beside those of the machine. */
  readonly authorities: readonly string[];
}

export interface ServerWorkerSetup extends CommonSetup {
  readonly target: "server";
  /** Of all servers; a device that loses one goes to the next. */
  readonly urls: readonly string[];
  readonly ids: DirectoryIds;
  /** By own device: token, and number of the device on the wire. */
  readonly devices: readonly DeviceAccess[];
  /** Loopback addresses to connect from, in turn; empty: whichever the system takes. */
  readonly sourceAddresses: readonly string[];
  /** Undefined: presence is not checked. */
  readonly presence: PresenceSetup | undefined;
}

/** Who watches whom, and whose connections are noted (driver/presence-plan.ts). */
export interface PresenceSetup {
  /** On this worker. */
  readonly people: readonly PresencePerson[];
  /** Watched by every watcher. */
  readonly watched: readonly Uuid[];
  /** Of them, those of the population, by number. */
  readonly users: readonly number[];
}

/** Somebody who is there for presence alone. */
export interface PresencePerson extends DeviceAccess {
  readonly userId: Uuid;
  readonly role: "watcher" | "commuter" | "vanisher" | "mortal";
  /** Among all people of the run. */
  readonly number: number;
}

/** What the driver started; a worker that loses its driver ends it. */
export interface OwnedByDriver {
  readonly serverPids: readonly number[];
  /** Of stores of the run's own. */
  readonly stackFolder: string | undefined;
}

export interface StoreWorkerSetup extends CommonSetup {
  readonly target: "store";
  readonly stores: Omit<StoreAccess, "environment" | "processes">;
}

export interface DeviceAccess {
  readonly token: string;
  readonly device: number;
}

export type DriverMessage =
  | { readonly type: "setup"; readonly setup: WorkerSetup }
  /** At any time, also before the setup: there is something, or a server has another process now. Undefined: leave it alone. */
  | { readonly type: "owned"; readonly owned: OwnedByDriver | undefined }
  | DriverCommand;

/** What a worker that is set up can be told. */
export type DriverCommand =
  /** Until this share of the own devices is connected and in sync. */
  | { readonly type: "connect"; readonly share: number }
  | { readonly type: "write_history" }
  | { readonly type: "start"; readonly t0Ms: number }
  | { readonly type: "stop" }
  /** While draining: what workers had acked (owed-rows.ts). Versions grow. */
  | { readonly type: "acked"; readonly pairs: Uint32Array; readonly version: number }
  /** `serverDied`: by itself, so that devices could not come back. */
  | { readonly type: "finish"; readonly serverDied: boolean };

export type WorkerStep = "setup" | "connect" | "write_history" | "finish";

export type WorkerMessage =
  | { readonly type: "done"; readonly step: WorkerStep }
  | { readonly type: "progress"; readonly progress: WorkerProgress }
  | { readonly type: "report"; readonly report: WorkerReport }
  | { readonly type: "failed"; readonly reason: string };

export interface WorkerProgress {
  /** Since the last progress. */
  readonly started: number;
  readonly ended: number;
  readonly delivered: number;
  /** Serialised coarse histogram of the response times, µs. */
  readonly responses: readonly number[];
  /** Since the beginning. */
  readonly errors: number;
  readonly faults: number;
  /** Devices that are connected and in sync; messages of the history that were written. */
  readonly connected: number;
  readonly written: number;
  readonly cpu: number;
  /** No operation is under way, nothing is owed to or by any device, and no message came for a while. */
  readonly quiet: boolean;
  /** Of a worker on a server, while it drains: some device lacks what was acked, or has something unsent or unanswered. */
  readonly owed?: boolean;
  /** What its own senders had acked since the last progress (owed-rows.ts), and the version of what it heard of all. */
  readonly acked?: Uint32Array;
  readonly heard?: number;
}

/** What the machines did beyond the plan: repairs that worked are no faults, but they are worth knowing. */
export interface ClientCounters {
  readonly reconnects: number;
  readonly resends: number;
  readonly syncs: number;
  readonly rangesSent: number;
  readonly receiptsSent: number;
  readonly receiptsRefused: number;
  readonly duplicateRows: number;
  readonly violations: number;
}

export interface WorkerReport {
  /** ERROR frames that devices got, by code: most of them are told to try again, and do. */
  readonly refusals?: Readonly<Record<string, number>>;
  readonly stats: SerialisedStats;
  /** Of a worker on a server. */
  readonly observations?: LedgerObservations;
  readonly presence?: PresenceObservations;
  /** Of a worker on the stores: it has read back what it wrote. */
  readonly account?: StoreAccount;
  /** By workload and error code. */
  readonly errors: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly clients: ClientCounters;
  readonly facts: WorkerFacts;
  /** CPU time of the process by phase under load. */
  readonly phaseCpuMs: readonly number[];
  readonly inFlightPeak: number;
}
