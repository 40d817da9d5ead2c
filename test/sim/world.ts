import { createUuidV7, type Uuid } from "../../src/protocol/ids.ts";
import type { Core } from "../../src/core/api.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import { SimDevice } from "./device.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { Names } from "./names.ts";
import { SimNode } from "./node.ts";
import type { Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { addUser, createStores, type Stores } from "./stores.ts";
import { Witness } from "./witness.ts";

/** How long a caller by HTTP waits for an answer. */
const callTimeoutMs = 4_000;
const callAttemptsMax = 200;
/** Within this time after Redis forgot everything somebody writes. */
const forgetMs = 6_000;
/** Within this time everybody connects again. */
const rushMs = 1_000;
/** A process that does not answer for this long is replaced. */
const replaceAfterMs = 3_000;

/**
 * Everything of one run: stores that outlive all else, nodes on them, users with devices, groups, and the witness above.
 * The ways in which machines fail and come back are here; when they do so is decided by actions.ts.
 */
export class World {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly stores: Stores;
  readonly witness: Witness;
  /** The process that stands in each place; it may be dead, or not serve yet. */
  readonly nodes: SimNode[] = [];
  /** Processes whose place was given to another while they were paused. */
  readonly #zombies: SimNode[] = [];
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
  #starts = 0;
  readonly #mutant: Mutant | undefined;

  constructor(plan: Plan, mutant: Mutant | undefined, keepsTrace: boolean) {
    this.plan = plan;
    this.#mutant = mutant;
    this.scheduler = new Scheduler(plan.seed);
    this.stores = createStores(this.scheduler, plan);
    const names = new Names();
    this.witness = new Witness(this.scheduler, this.stores, names, keepsTrace);
    mutant?.redis?.(this.stores.redis);
    for (let index = 0; index < plan.nodes; index++) this.#startNode(index);
    for (const [index, devices] of plan.devices.entries()) {
      const userId = addUser(this.stores, this.scheduler);
      names.give(userId, `u${index + 1}`);
      this.users.push(userId);
      for (let device = 1; device <= devices; device++) this.linkDevice(userId);
    }
    for (const device of this.devices) device.watch(this.users);
  }

  /** A new device of a user, with an empty disk. */
  linkDevice(userId: Uuid): void {
    const device = (this.#deviceCounts.get(userId) ?? 0) + 1;
    this.#deviceCounts.set(userId, device);
    const name = `${this.witness.names.of(userId)}.${device}`;
    const { scheduler, witness, plan } = this;
    // The load balancer: among those that are ready, as far as it knows.
    const findNode = (): SimNode | undefined => {
      for (const index of this.nodes.keys()) this.#settleName(index);
      const ready = this.nodes.filter((node) => node.takes);
      return ready.length === 0 ? undefined : scheduler.pick(ready);
    };
    const linked = new SimDevice({ userId, device, name, scheduler, witness, plan, mutant: this.#mutant, findNode });
    linked.watch(this.users);
    this.devices.push(linked);
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
    if (node === undefined || node.paused || !node.alive) return;
    this.witness.note(() => `${node.nodeId} is paused for ${Math.round(forMs)} ms`);
    node.pause();
    this.scheduler.after(forMs, () => node.resume());
    // Whoever watches over processes takes it for dead and puts another in its place.
    if (forMs > replaceAfterMs && this.scheduler.chance(0.5)) {
      this.scheduler.after(replaceAfterMs, () => {
        if (this.nodes[index] !== node || !node.paused) return;
        this.#zombies.push(node);
        this.#startNode(index);
      });
    }
  }

  killNode(index: number, awayMs: number): void {
    const node = this.nodes[index];
    if (node === undefined || !node.alive) return;
    this.witness.note(() => `${node.nodeId} is killed`);
    node.kill();
    this.#startLater(index, awayMs);
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
    this.stores.redis.end();
    this.stores.log.settleLate();
    for (const node of [...this.nodes, ...this.#zombies]) node.resume();
    for (const device of this.devices) this.wakeDevice(device);
  }

  wakeDevice(device: SimDevice): void {
    if (device.rests) return;
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

  /**
   * Everybody connects again within a second, half of them without their node hearing of the end. Meanwhile people write, and Redis takes its time: what is sent while a
   * device comes back has to be in its sync or in a push.
   */
  rush(): void {
    const { scheduler } = this;
    this.stores.redis.slowFor(rushMs * 2);
    for (const device of this.devices) {
      const serverAfterMs = scheduler.chance(0.5) ? 0 : undefined;
      scheduler.after(scheduler.between(0, rushMs), () => device.link?.cut(0, serverAfterMs));
      const others = this.users.filter((userId) => userId !== device.userId);
      const to = { user: scheduler.pick(others) };
      scheduler.after(scheduler.between(0, rushMs * 1.5), () => device.write(to));
    }
  }

  /** Every user decides about messages of unknown fate. */
  resolveUnknown(): void {
    for (const device of this.devices) this.resolveOf(device);
  }

  /** Redis forgets everything in all quiet, and somebody writes soon after: nothing else shows it to anybody. */
  forget(): void {
    this.stores.redis.memory.flush();
    this.scheduler.after(this.scheduler.between(0, forgetMs), () => this.#write());
  }

  /** A message in all quiet, whose push to another process is lost: nothing follows that would show it. */
  sendLast(): void {
    this.stores.redis.loseNextBatch();
    this.#write();
  }

  #write(): void {
    const device = this.scheduler.pick(this.devices);
    const others = this.users.filter((userId) => userId !== device.userId);
    this.witness.note(() => `${device.name} writes`);
    device.write({ user: this.scheduler.pick(others) });
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
    const { scheduler, stores, witness, plan } = this;
    const name = `n${index + 1}`;
    const nodeId = plan.fixedNames ? name : `${name}-${++this.#starts}`;
    const onExit = (node: SimNode): void => {
      if (this.nodes[index] !== node) return;
      // The one that was taken for dead lives: it keeps its place.
      const former = this.#formerOf(nodeId);
      if (former === undefined) this.#startLater(index, scheduler.between(200, 2_000));
      else this.nodes[index] = former;
    };
    witness.note(() => `${nodeId} starts`);
    this.nodes[index] = new SimNode({ name, nodeId, scheduler, stores, witness, plan, mutant: this.#mutant, onExit });
  }

  /** Of two living processes of one name the one that has the lease is ready. */
  #settleName(index: number): void {
    const node = this.nodes[index];
    if (node?.isNameless !== true) return;
    const former = this.#formerOf(node.nodeId);
    if (former === undefined) return;
    this.#zombies.push(node);
    this.nodes[index] = former;
  }

  #formerOf(nodeId: string): SimNode | undefined {
    return this.#zombies.find((zombie) => zombie.nodeId === nodeId && zombie.takes && !zombie.paused);
  }

  #startLater(index: number, afterMs: number): void {
    const node = this.nodes[index];
    this.scheduler.after(afterMs, () => {
      if (this.nodes[index] === node) this.#startNode(index);
    });
  }
}
