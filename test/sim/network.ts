import type { Bus, Delivery, Notice } from "../../src/core/ports/bus.ts";
import type { ClientFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import type { Roughness } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * One connection between a device and a node. As TCP it keeps the order of each direction and loses nothing but its end:
 * a cut takes everything that is on its way, and each side hears of it at a time of its own, or never. A deaf direction
 * swallows what is sent while both sides believe that all is well.
 */
export class Link {
  readonly #scheduler: Scheduler;
  readonly #latencyMs: number;
  /** Rank among all links of the run: of two of one device the later one is meant. */
  readonly rank: number;
  #upAt = 0;
  #downAt = 0;
  #whole = true;
  upDeaf = false;
  downDeaf = false;
  onClientFrame: (frame: ClientFrame) => void = () => undefined;
  onServerFrame: (frame: ServerFrame) => void = () => undefined;
  /** Called once at most, when that side hears of the end. */
  onClientEnd: (code: number) => void = () => undefined;
  onServerEnd: () => void = () => undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.rank = scheduler.nextRank();
    this.#latencyMs = scheduler.between(0, 20);
  }

  get whole(): boolean {
    return this.#whole;
  }

  toServer(frame: ClientFrame): void {
    if (!this.#whole || this.upDeaf) return;
    this.#upAt = Math.max(this.#upAt, this.#arrival());
    this.#scheduler.after(this.#upAt - this.#scheduler.nowMs, () => {
      if (this.#whole) this.onClientFrame(frame);
    });
  }

  toClient(frame: ServerFrame): void {
    if (!this.#whole || this.downDeaf) return;
    this.#downAt = Math.max(this.#downAt, this.#arrival());
    this.#scheduler.after(this.#downAt - this.#scheduler.nowMs, () => {
      if (this.#whole) this.onServerFrame(frame);
    });
  }

  /** Undefined delays: that side is not told. */
  cut(clientAfterMs: number | undefined, serverAfterMs: number | undefined, code = 1006): void {
    if (!this.#whole) return;
    this.#whole = false;
    if (clientAfterMs !== undefined) this.#scheduler.after(clientAfterMs, () => this.onClientEnd(code));
    if (serverAfterMs !== undefined) this.#scheduler.after(serverAfterMs, () => this.onServerEnd());
  }

  #arrival(): number {
    const jitter = this.#scheduler.chance(0.05) ? 10 : 1;
    return this.#scheduler.nowMs + this.#latencyMs * this.#scheduler.random.float() * jitter;
  }
}

/** A node as the bus knows it. */
export interface BusNode {
  readonly name: string;
  readonly alive: boolean;
  hearDelivery(delivery: Delivery): void;
  hearNotice(notice: Notice): void;
  /** Pushes for its connections may have been lost. */
  resync(): void;
}

/** Beacons come once a second: so long may a counter gap stay unseen. */
const beaconMs = 1_000;
/** After this much silence a node counts as dead, with whatever it had not sent. */
const silenceMs = 3_000;

/**
 * Between the nodes: deliveries are lost, doubled, late and out of order; notices are late or lost. As the real bus does,
 * a receiver notices by (epoch, counter) and beacons that something is missing, and tells its connections to sync; the
 * same when a node fell silent, since nobody knows what it still had to say.
 */
export class SimBus {
  readonly nodes: BusNode[] = [];
  readonly #scheduler: Scheduler;
  readonly #rough: Roughness;
  #over = false;
  /** Mutants only: what was lost stays unnoticed. */
  gapsNoticed = true;

  constructor(scheduler: Scheduler, rough: Roughness) {
    this.#scheduler = scheduler;
    this.#rough = rough;
  }

  end(): void {
    this.#over = true;
  }

  portOf(source: BusNode): Bus {
    return {
      deliver: (delivery) => {
        source.hearDelivery(delivery);
        for (const node of this.nodes) if (node !== source) this.#deliver(node, delivery);
      },
      announce: (notice) => {
        for (const node of this.nodes) if (node !== source) this.#announce(node, notice);
      },
      subscribe: () => undefined,
    };
  }

  /** A node is gone, perhaps in the middle of what it wanted to send. */
  fellSilent(): void {
    this.#scheduler.after(silenceMs, () => this.#noticeAll());
  }

  #deliver(node: BusNode, delivery: Delivery): void {
    const { pushesLost, pushesDoubled } = this.#rough;
    if (!this.#over && this.#scheduler.chance(pushesLost)) {
      this.#scheduler.after(this.#scheduler.between(0, beaconMs), () => this.#notice(node));
      return;
    }
    const times = !this.#over && this.#scheduler.chance(pushesDoubled) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      this.#scheduler.after(this.#delay(), () => node.hearDelivery(delivery));
    }
  }

  #announce(node: BusNode, notice: Notice): void {
    if (!this.#over && this.#scheduler.chance(this.#rough.noticesLost)) return;
    this.#scheduler.after(this.#delay(), () => node.hearNotice(notice));
  }

  #delay(): number {
    return this.#scheduler.between(0, this.#scheduler.chance(0.05) ? 400 : 10);
  }

  #noticeAll(): void {
    for (const node of this.nodes) this.#notice(node);
  }

  #notice(node: BusNode): void {
    if (this.gapsNoticed && node.alive) node.resync();
  }
}
