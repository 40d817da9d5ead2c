import { createUuidV7, type Uuid } from "../../src/protocol/ids.ts";
import type { Core } from "../../src/core/api.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import { SimDevice } from "./device.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { Names } from "./names.ts";
import { SimBus } from "./network.ts";
import { SimNode } from "./node.ts";
import type { Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { addUser, createStores, type Stores } from "./stores.ts";
import { Witness } from "./witness.ts";

/** How long a caller by HTTP waits for an answer. */
const callTimeoutMs = 4_000;
const callAttemptsMax = 60;

/**
 * Everything of one run: stores that outlive all else, nodes on them, users with devices, groups, and the witness above.
 * The ways in which machines fail and come back are here; when they do so is decided by actions.ts.
 */
export class World {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly stores: Stores;
  readonly witness: Witness;
  readonly bus: SimBus;
  readonly nodes: SimNode[] = [];
  readonly users: Uuid[] = [];
  readonly devices: SimDevice[] = [];
  readonly groupIds: Uuid[] = [];
  /** Changes whose caller was told that they happened. */
  readonly answeredChanges: { readonly groupId: Uuid; readonly messageId: Uuid }[] = [];
  /** Messages of unknown fate that their user discarded or sent again. */
  readonly resolvedIds = new Set<Uuid>();
  /** Blocks that are being changed, or of which an attempt to change them may still be carried out. */
  readonly blocksInDoubt = new Set<string>();
  /** Calls that are still being insisted on. */
  openCalls = 0;
  /** Users who lost a device for good. */
  readonly losers = new Set<Uuid>();
  readonly #deviceCounts = new Map<Uuid, number>();
  readonly #mutant: Mutant | undefined;

  constructor(plan: Plan, mutant: Mutant | undefined, keepsTrace: boolean) {
    this.plan = plan;
    this.#mutant = mutant;
    this.scheduler = new Scheduler(plan.seed);
    this.stores = createStores(this.scheduler, plan);
    const names = new Names();
    this.witness = new Witness(this.scheduler, this.stores, names, keepsTrace);
    this.bus = new SimBus(this.scheduler, plan.rough);
    mutant?.bus?.(this.bus);
    for (let index = 0; index < plan.nodes; index++) this.#startNode(index);
    for (const [index, devices] of plan.devices.entries()) {
      const userId = addUser(this.stores, this.scheduler);
      names.give(userId, `u${index + 1}`);
      this.users.push(userId);
      for (let device = 1; device <= devices; device++) this.linkDevice(userId);
    }
  }

  /** A new device of a user, with an empty disk. */
  linkDevice(userId: Uuid): void {
    const device = (this.#deviceCounts.get(userId) ?? 0) + 1;
    this.#deviceCounts.set(userId, device);
    const name = `${this.witness.names.of(userId)}.${device}`;
    const { scheduler, witness, plan } = this;
    const findNode = (): SimNode | undefined => scheduler.pick(this.nodes);
    this.devices.push(
      new SimDevice({ userId, device, name, scheduler, witness, plan, mutant: this.#mutant, findNode }),
    );
  }

  /** A device that nobody will ever see again, with all it had not sent; its user takes a new one. */
  loseDevice(device: SimDevice): void {
    this.witness.note(() => `${device.name} is lost`);
    if (device.gone) return;
    device.crash();
    device.gone = true;
    this.losers.add(device.userId);
    this.devices.splice(this.devices.indexOf(device), 1);
    this.linkDevice(device.userId);
  }

  newId(): Uuid {
    return createUuidV7(1_700_000_000_000 + Math.floor(this.scheduler.nowMs), this.scheduler.random);
  }

  pauseNode(index: number, forMs: number): void {
    const node = this.nodes[index];
    if (node === undefined || node.paused) return;
    this.witness.note(() => `${node.name} is paused for ${Math.round(forMs)} ms`);
    node.pause();
    this.scheduler.after(forMs, () => node.resume());
  }

  killNode(index: number, awayMs: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.alive) return;
    this.witness.note(() => `${node.name} is killed`);
    node.kill();
    this.scheduler.after(awayMs, () => {
      if (this.nodes[index] === node) this.#startNode(index);
    });
  }

  /** Every node dies at once, in the middle of what it was writing. */
  blackout(): void {
    const { weather } = this.stores;
    weather.dying = true;
    this.scheduler.after(this.scheduler.between(50, 250), () => {
      weather.dying = false;
      for (const index of this.nodes.keys()) this.killNode(index, this.scheduler.between(0, 3_000));
    });
  }

  /** Faults end: stores are well, every machine runs again. */
  calm(): void {
    this.stores.weather.end();
    this.stores.weather.dying = false;
    this.bus.end();
    this.stores.log.settleLate();
    for (const [index, node] of this.nodes.entries()) {
      if (node.alive) node.resume();
      else this.#startNode(index);
    }
    for (const device of this.devices) this.wakeDevice(device);
  }

  wakeDevice(device: SimDevice): void {
    device.start();
    device.machine?.start(this.scheduler.nowMs);
  }

  /** Cuts every connection; every other device loses its process as well. */
  reconnectAll(): void {
    for (const [index, device] of this.devices.entries()) {
      if (index % 2 === 0) device.crash();
      else device.link?.cut(0, 0);
      this.wakeDevice(device);
    }
  }

  /** Every user decides about messages of unknown fate. */
  resolveUnknown(): void {
    for (const device of this.devices) this.resolveOf(device);
  }

  resolveOf(device: SimDevice): void {
    for (const entry of device.machine?.outbox() ?? []) {
      if (entry.state === "pending") continue;
      this.resolvedIds.add(entry.messageId);
      device.resolve(entry.messageId, this.scheduler.chance(0.5));
    }
  }

  /**
   * Calls some node until one gives an answer that stands: the same request again after temporary errors and silence.
   * `onDoubt`: an attempt ended without an answer, and may yet be carried out.
   */
  async insist<T>(operation: (core: Core) => Promise<T>, onDoubt?: () => void): Promise<T | WireError | undefined> {
    this.openCalls++;
    try {
      for (let attempt = 0; attempt < callAttemptsMax; attempt++) {
        const node = this.scheduler.pick(this.nodes);
        const silence = this.scheduler.sleep(callTimeoutMs).then((): "silence" => "silence");
        try {
          const answer = await Promise.race([node.call(operation), silence]);
          if (answer !== "silence") return answer;
          onDoubt?.();
        } catch (error) {
          if (!(error instanceof WireError)) {
            this.witness.blame("core", String(error));
            return undefined;
          }
          if (!error.temporary) return error;
          onDoubt?.();
        }
        await this.scheduler.sleep(this.scheduler.between(50, 1_000));
      }
      this.witness.blame("progress", "a call found no answer");
      return undefined;
    } finally {
      this.openCalls--;
    }
  }

  #startNode(index: number): void {
    const { scheduler, stores, bus, witness, plan } = this;
    const name = `n${index + 1}`;
    const node = new SimNode({ name, scheduler, stores, bus, witness, plan, mutant: this.#mutant });
    this.nodes[index] = node;
    bus.nodes[index] = node;
    witness.note(() => `${name} starts`);
  }
}
