import type { ClientFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * One connection between a device and a node. As TCP it keeps the order of each direction and loses nothing but its end:
 * a cut takes everything that is on its way, and each side hears of it at a time of its own, or never. A deaf direction
 * swallows what is sent while both sides believe that all is well.
 */
export class Link {
  readonly #scheduler: Scheduler;
  readonly #latencyMs: number;
  #upAt = 0;
  #downAt = 0;
  #whole = true;
  upDeaf = false;
  downDeaf = false;
  onClientFrame: (frame: ClientFrame) => void = () => undefined;
  onServerFrame: (frame: ServerFrame) => void = () => undefined;
  /** The device's end answered a ping. */
  onPong: () => void = () => undefined;
  /** Called once at most, when that side hears of the end. */
  onClientEnd: (code: number) => void = () => undefined;
  onServerEnd: () => void = () => undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#latencyMs = scheduler.between(0, 20);
  }

  get whole(): boolean {
    return this.#whole;
  }

  toServer(frame: ClientFrame): void {
    this.#up(() => this.onClientFrame(frame));
  }

  toClient(frame: ServerFrame): void {
    this.#down(() => this.onServerFrame(frame));
  }

  /** A ping of the node, which the device's end answers in the order of everything else. */
  ping(): void {
    this.#down(() => this.#up(() => this.onPong()));
  }

  /** Undefined delays: that side is not told. */
  cut(clientAfterMs: number | undefined, serverAfterMs: number | undefined, code = 1006): void {
    if (!this.#whole) return;
    this.#whole = false;
    if (clientAfterMs !== undefined) this.#scheduler.after(clientAfterMs, () => this.onClientEnd(code));
    if (serverAfterMs !== undefined) this.#scheduler.after(serverAfterMs, () => this.onServerEnd());
  }

  #up(arrive: () => void): void {
    if (!this.#whole || this.upDeaf) return;
    this.#upAt = Math.max(this.#upAt, this.#arrival());
    this.#scheduler.after(this.#upAt - this.#scheduler.nowMs, () => {
      if (this.#whole) arrive();
    });
  }

  #down(arrive: () => void): void {
    if (!this.#whole || this.downDeaf) return;
    this.#downAt = Math.max(this.#downAt, this.#arrival());
    this.#scheduler.after(this.#downAt - this.#scheduler.nowMs, () => {
      if (this.#whole) arrive();
    });
  }

  #arrival(): number {
    const jitter = this.#scheduler.chance(0.05) ? 10 : 1;
    return this.#scheduler.nowMs + this.#latencyMs * this.#scheduler.random.float() * jitter;
  }
}
