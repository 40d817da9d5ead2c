import { present } from "../../base/assert.ts";
import { createSeededRandom } from "../../base/random.ts";
import { limits } from "../../protocol/limits.ts";
import { Directory } from "../data/directory.ts";
import { mix32, seedFor } from "../data/mix.ts";
import { PayloadPool, type PayloadHeader } from "../data/payload.ts";
import { Population } from "../data/population.ts";
import type { Targets } from "../data/targets.ts";
import { LedgerRecorder } from "../ledger/recorder.ts";
import type { Workload } from "../scenario/schema.ts";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import { createWorkload } from "../workloads/create-workload.ts";
import type { WorkloadRunner } from "../workloads/workload.ts";
import { createBystanderWatch, type NoteDelivery } from "./bystander-watch.ts";
import { Fleet, type FleetListener } from "./fleet.ts";
import { GroupDeliveries } from "./group-deliveries.ts";
import { LedgerFeed } from "./ledger-feed.ts";
import { Load } from "./load.ts";
import { MessageSender } from "./message-sender.ts";
import type {
  ClientCounters,
  DriverCommand,
  ServerWorkerSetup,
  WorkerMessage,
  WorkerProgress,
  WorkerStep,
} from "./messages.ts";
import { monotonicMs } from "./monotonic.ts";
import { OwedRows } from "./owed-rows.ts";
import { createConnectStep, createHistoryStep, type Step } from "./prepare.ts";
import { createPresencePart, type PresencePart } from "./presence-part.ts";
import { Slots } from "./slots.ts";
import { SyncWatch } from "./sync-watch.ts";
import { WorkerMeter } from "./worker-meter.ts";

/**
 * One load worker: its devices, its part of every workload, its ledger. The driver's messages move it from step to step
 * (messages.ts); a pulse of a millisecond turns the wheel and starts what is due; everything else follows from frames.
 */
const pulseMs = 1;
/** So long after the last row or ACK nothing more is expected. */
const quietMs = 500;
/** Where rows of large groups are paced, two of them may be nearly the whole spread apart. */
const pacedQuietMs = limits.fanOutSpreadMs + 2_000;
/** A device that has not got a message by then has lost it, or is not there. */
const groupWaitMs = limits.fanOutCeilingMs + 5_000;
const groupMessagesMax = 20_000;
const startsPerPollMax = 256;

export class LoadWorker {
  readonly #tellDriver: (message: WorkerMessage) => void;
  readonly #setup: ServerWorkerSetup;
  readonly #population: Population;
  readonly #slots: Slots;
  readonly #directory: Directory;
  readonly #recorder: LedgerRecorder;
  readonly #stats: RunStats;
  readonly #feed: LedgerFeed;
  readonly #sender: MessageSender;
  readonly #fleet: Fleet;
  readonly #load: Load<WorkloadRunner>;
  readonly #groups: GroupDeliveries;
  readonly #owed: OwedRows;
  readonly #meter: WorkerMeter<WorkloadRunner>;
  readonly #presence: PresencePart | undefined;
  readonly #pulse: NodeJS.Timeout;
  readonly #conversations = new Map<number, readonly number[]>();
  readonly #groupsOfUsers: ReadonlyMap<number, readonly number[]>;
  readonly #watch: SyncWatch;
  readonly #noteBystander: NoteDelivery | undefined;
  #connectedTo = 0;
  #written = 0;
  #step: { readonly name: WorkerStep; readonly run: Step } | undefined;
  /** Of a row, or of the ACK of a message that others are to get. */
  #lastNewsMs = 0;
  readonly #quietMs: number;
  #delivered = 0;

  constructor(setup: ServerWorkerSetup, tellDriver: (message: WorkerMessage) => void) {
    this.#setup = setup;
    this.#tellDriver = tellDriver;
    const { scenario, share, run, ids } = setup;
    const population = new Population({ ...scenario.population, seed: scenario.seed });
    this.#population = population;
    this.#quietMs = quietMsOf(population);
    const slots = new Slots(population, share);
    this.#slots = slots;
    this.#watch = this.#createWatch(slots.count);
    this.#groupsOfUsers = population.groupsOfUsers((user) => slots.ownsUser(user));
    const directory = new Directory(population, ids, (user) => slots.ownsUser(user));
    this.#directory = directory;
    const timeline = new Timeline(scenario.phases);
    const stats = new RunStats(scenario.workloads, timeline);
    this.#stats = stats;
    this.#noteBystander = createBystanderWatch(setup, population, stats.bystanders);
    this.#meter = new WorkerMeter(stats, () => this.#load, tellDriver);
    const recorder = new LedgerRecorder({
      deviceCount: population.deviceCount,
      devicesPerUser: population.devicesPerUser,
      conversationCount: population.conversationCount,
      ownsUser: (user) => slots.ownsUser(user),
    });
    this.#recorder = recorder;
    const random = createSeededRandom(mix32(seedFor(scenario.seed, "worker"), run, share.index));
    const pool = new PayloadPool(scenario.seed);
    const nowMs = monotonicMs;
    const common = { run, population, directory, slots, recorder };
    this.#sender = new MessageSender({ ...common, pool, random, nowMs, fleet: () => this.#fleet });
    this.#feed = new LedgerFeed({
      ...common,
      registersOf: (slot, conversationId) => this.#fleet.machine(slot).conversation(conversationId)?.registers,
      delivered: (slot, messageId, header) => this.#noteDelivery(slot, messageId, header),
    });
    this.#fleet = new Fleet({
      urls: setup.urls,
      userIds: Array.from({ length: slots.count }, (_, slot) => directory.userId(slots.userOf(slot))),
      devices: setup.devices,
      sourceAddresses: setup.sourceAddresses,
      random,
      nowMs,
      listener: this.#createListener(),
    });
    this.#owed = new OwedRows({ ...common, fleet: this.#fleet });
    this.#presence = createPresencePart(setup, { ...common, fleet: () => this.#fleet });
    this.#groups = new GroupDeliveries({
      waitMs: groupWaitMs,
      messagesMax: groupMessagesMax,
      last: (workload, intendedMs, atMs) => stats.delivered(workload, intendedMs, atMs, "last"),
    });
    this.#load = new Load({
      scenario,
      population,
      share,
      stats,
      createRunner: (workload, targets, seed) => this.#createRunner(workload, targets, seed),
      groupsOf: (user) => this.#groupsOfUsers.get(user) ?? [],
      nowMs: () => this.#meter.sinceT0(),
      startsPerPollMax,
    });
    this.#pulse = setInterval(() => this.#beat(), pulseMs);
  }

  handle(message: DriverCommand): void {
    const { scenario, share } = this.#setup;
    switch (message.type) {
      case "connect": {
        const from = this.#connectedTo;
        this.#connectedTo = Math.ceil(this.#fleet.size * message.share);
        const run = createConnectStep({
          fleet: this.#fleet,
          from,
          to: this.#connectedTo,
          ratePerSecond: scenario.connectRate / share.count,
          syncedCount: () => this.#watch.count,
          startMs: monotonicMs(),
        });
        this.#step = { name: "connect", run };
        break;
      }
      case "write_history": {
        const wrote = (): void => void this.#written++;
        const run = createHistoryStep(scenario, this.#population, this.#slots, this.#sender, wrote);
        this.#step = { name: "write_history", run };
        break;
      }
      case "start":
        this.#meter.start(message.t0Ms);
        this.#presence?.start();
        break;
      case "stop":
        this.#load.stop();
        this.#meter.stop();
        break;
      case "acked":
        this.#owed.hear(message.pairs, message.version);
        break;
      case "finish":
        this.#finish(message.serverDied);
        break;
    }
  }

  /** Lets go of sockets and timers; the process can end. */
  close(): void {
    clearInterval(this.#pulse);
    this.#load.stop();
    for (const runner of this.#load.runners) runner.close?.();
    this.#presence?.close();
    this.#fleet.close();
  }

  #beat(): void {
    const nowMs = monotonicMs();
    this.#presence?.pulse(nowMs);
    this.#fleet.advance(nowMs);
    this.#load.poll();
    if (this.#step?.run.advance(nowMs) === true) {
      const { name } = this.#step;
      this.#step = undefined;
      this.#tellDriver({ type: "done", step: name });
    }
    this.#meter.beat(nowMs, () => {
      this.#groups.sweep(this.#meter.sinceT0());
      const delivered = this.#delivered;
      this.#delivered = 0;
      return {
        delivered,
        faults: this.#recorder.faults.total(),
        connected: this.#fleet.readyCount,
        written: this.#written,
        quiet: this.#isQuiet(),
        ...(this.#meter.isLoadOver ? this.#owes() : {}),
      };
    });
  }

  #owes(): Pick<WorkerProgress, "owed" | "acked" | "heard"> {
    const acked = this.#owed.news();
    return { acked, heard: this.#owed.version, owed: !this.#isSettled() || this.#owed.lacks() };
  }

  #isQuiet(): boolean {
    if (!this.#meter.isLoadOver || this.#load.inFlight > 0) return false;
    return monotonicMs() - this.#lastNewsMs >= this.#quietMs && this.#isSettled();
  }

  #isSettled(): boolean {
    for (let slot = 0; slot < this.#fleet.size; slot++) if (!this.#fleet.isSettled(slot)) return false;
    return true;
  }

  #finish(serverDied: boolean): void {
    this.#load.abandon();
    this.#groups.sweep(Number.POSITIVE_INFINITY);
    this.#watch.finish(monotonicMs());
    for (let slot = 0; slot < this.#fleet.size; slot++) {
      if (this.#watch.isExcused(slot, serverDied)) this.#recorder.absent(this.#slots.deviceOf(slot));
    }
    this.#tellDriver({
      type: "report",
      report: {
        stats: this.#stats.serialise(),
        observations: this.#recorder.observations(),
        ...(this.#presence && { presence: this.#presence.observations(this.#meter.t0Ms) }),
        errors: this.#load.errors,
        refusals: Object.fromEntries(this.#fleet.refusals),
        clients: this.#clientCounters(),
        facts: this.#meter.facts(),
        phaseCpuMs: this.#meter.phaseCpuMs,
        inFlightPeak: this.#load.inFlightPeak,
      },
    });
    this.close();
    this.#tellDriver({ type: "done", step: "finish" });
  }

  #clientCounters(): ClientCounters {
    const total = {
      reconnects: 0,
      resends: 0,
      syncs: 0,
      rangesSent: 0,
      receiptsSent: 0,
      receiptsRefused: 0,
      duplicateRows: 0,
      violations: 0,
    };
    for (let slot = 0; slot < this.#fleet.size; slot++) {
      const { counters } = this.#fleet.machine(slot);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counters[name];
    }
    return total;
  }

  #createRunner(workload: Workload, targets: Targets, seed: number): WorkloadRunner {
    const own = {
      population: this.#population,
      directory: this.#directory,
      slots: this.#slots,
      sender: this.#sender,
      fleet: this.#fleet,
      conversationsOf: (user: number) => this.#conversationsOf(user),
    };
    return createWorkload(workload, { ...own, targets, seed }, this.#recorder);
  }

  #createWatch(slots: number): SyncWatch {
    return new SyncWatch({
      slots,
      isAway: (slot) => this.#fleet.isAway(slot),
      back: (slot, sinceMs, atMs) => this.#noteBack(slot, sinceMs, atMs),
    });
  }

  #createListener(): FleetListener {
    return {
      rows: (slot, conversationId, placement, rows) => {
        this.#lastNewsMs = monotonicMs();
        this.#feed.rows(slot, conversationId, placement, rows);
        const conversation = this.#directory.conversationNumber(conversationId);
        if (conversation !== undefined)
          for (const runner of this.#load.runners) runner.rows?.(slot, conversation, rows);
      },
      restarted: (slot, conversationId, start) => this.#feed.restarted(slot, conversationId, start),
      sent: (_slot, messageId, seq) => {
        this.#lastNewsMs = monotonicMs();
        this.#sender.acked(messageId, seq);
      },
      sendFailed: (_slot, messageId, state, code) => this.#sender.failed(messageId, state, code),
      watermarks: (slot, conversationId, userId, recvSeq, readSeq) =>
        this.#feed.watermarks(slot, conversationId, userId, recvSeq, readSeq),
      conversation: (slot, conversationId) => {
        const conversation = this.#directory.conversationNumber(conversationId);
        if (conversation === undefined) return;
        for (const runner of this.#load.runners) runner.registers?.(slot, conversation);
      },
      connection: (slot, state, code) => {
        if (state !== "ready") this.#watch.unsynced(slot, monotonicMs());
        this.#presence?.connection(slot, state);
        for (const runner of this.#load.runners) runner.connection?.(slot, state, code);
      },
      synced: (slot) => {
        this.#watch.synced(slot, monotonicMs());
        this.#fleet.takeAttempts(slot);
        for (const runner of this.#load.runners) runner.synced?.(slot);
      },
      beat: (slot) => this.#presence?.beat(slot),
      takes: (slot, frame) => {
        this.#presence?.frame(slot, frame);
        let taken = false;
        for (const runner of this.#load.runners) taken = runner.takes?.(slot, frame) === true || taken;
        return taken;
      },
      told: () => this.#load.refill(),
    };
  }

  #noteBack(slot: number, sinceMs: number, atMs: number): void {
    const { t0Ms } = this.#meter;
    if (sinceMs >= t0Ms) this.#stats.resyncs.record(atMs - sinceMs, this.#fleet.takeAttempts(slot), atMs - t0Ms);
  }

  /** What a device was sent while it was away is a matter of sync, not of delivery. */
  #noteDelivery(slot: number, messageId: string, header: PayloadHeader): void {
    const { workload, intendedUs, sender, conversation } = header;
    if (workload < 0) return;
    this.#delivered++;
    const intendedMs = intendedUs / 1_000;
    const atMs = this.#meter.sinceT0();
    const meantMs = intendedMs + this.#meter.t0Ms;
    // Who was meant to be spared and lost the connection all the same counts with all of its delay.
    if (!this.#watch.wasAway(slot, meantMs)) this.#noteBystander?.(sender, slot, intendedMs, atMs);
    if (meantMs < this.#fleet.readySinceMs(slot)) return;
    this.#stats.delivered(workload, intendedMs, atMs, "each");
    if (this.#setup.urls.length > 1) {
      const route = header.server === this.#fleet.serverOf(slot) ? "same" : "cross";
      this.#stats.delivered(workload, intendedMs, atMs, route);
    }
    if (this.#population.isDirect(conversation)) return;
    const expected = (): number => this.#presentMembers(conversation, sender, intendedMs);
    if (this.#groups.arrived(messageId, workload, intendedMs, atMs, expected)) {
      this.#stats.delivered(workload, intendedMs, atMs, "first");
    }
  }

  /** Devices of this worker, without the sending one, that have been connected since a message was meant to be sent. */
  #presentMembers(conversation: number, sender: number, intendedMs: number): number {
    let count = 0;
    for (const user of this.#population.membersOf(conversation)) {
      if (!this.#slots.ownsUser(user)) continue;
      const first = this.#slots.firstOf(user);
      for (let slot = first; slot < first + this.#population.devicesPerUser; slot++) {
        if (this.#slots.deviceOf(slot) === sender) continue;
        if (intendedMs + this.#meter.t0Ms >= this.#fleet.readySinceMs(slot)) count++;
      }
    }
    return count;
  }

  #conversationsOf(user: number): readonly number[] {
    let known = this.#conversations.get(user);
    if (known === undefined) {
      const population = this.#population;
      const direct = Array.from({ length: population.spec.contacts }, (_, k) => population.directConversation(user, k));
      const groups = this.#groupsOfUsers.get(user) ?? [];
      known = [...direct, ...groups.map((group) => population.groupConversation(group))];
      this.#conversations.set(user, known);
    }
    return present(known, "conversations");
  }
}

function quietMsOf({ spec }: Population): number {
  return spec.groups.some(({ members }) => members > limits.membersDirectFanOutMax) ? pacedQuietMs : quietMs;
}
