import type { Caller } from "../../src/core/api.ts";
import { closeCodes, type CloseReason } from "../../src/protocol/close-codes.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import type { ConnectionState } from "../../src/server/connection/connection.ts";
import type { ConnectionMemory } from "../../src/server/connection/connection-memory.ts";
import { errorFrame } from "../../src/server/connection/error-frame.ts";
import type { Link } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a connection needs of its process; one for all of them. */
export interface SimConnectionHost {
  readonly scheduler: Scheduler;
  /** Resolves later, in the process. */
  wait(ms: number): Promise<void>;
  onFrameOut(connection: SimConnection, frame: ServerFrame): void;
  onRefused(connection: SimConnection, error: WireError, request: string | undefined): void;
  onLeaving(connection: SimConnection, wasGreeted: boolean): void;
  onClosed(connection: SimConnection): void;
}

/**
 * One connection on the side of its process: what the real dispatcher, routes, hub and registrations use of a connection,
 * in the states of the real one, over a simulated link.
 */
export class SimConnection {
  readonly id: string;
  readonly ordinal: number;
  readonly caller: Caller;
  readonly link: Link;
  readonly openedAtMs: number;
  heardAtMs: number;
  beatAtMs: number;
  /** Whether others may see the device online through this connection. */
  present = false;
  memory: ConnectionMemory | undefined = undefined;
  readonly #host: SimConnectionHost;
  #state: ConnectionState = "opening";
  #inFlight = 0;
  #onSign: ((answered: boolean) => void) | undefined;

  constructor(host: SimConnectionHost, link: Link, identity: Pick<SimConnection, "id" | "ordinal" | "caller">) {
    this.#host = host;
    this.link = link;
    this.id = identity.id;
    this.ordinal = identity.ordinal;
    this.caller = identity.caller;
    this.openedAtMs = this.heardAtMs = this.beatAtMs = host.scheduler.nowMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  greet(): void {
    if (this.#state === "opening") this.#state = "greeted";
  }

  heartbeat(): void {
    this.beatAtMs = this.heardAtMs;
  }

  begin(weight: number): void {
    this.#inFlight += weight;
  }

  end(weight: number): void {
    this.#inFlight -= weight;
    if (this.#inFlight === 0 && this.#state === "draining") this.#cut("drain");
  }

  send(frame: ServerFrame): void {
    if (this.#state === "closed") return;
    this.#host.onFrameOut(this, frame);
    this.link.toClient(frame);
  }

  sendError(error: WireError, request: string | undefined): void {
    this.#host.onRefused(this, error, request);
    this.send(errorFrame(error, request));
  }

  answers(): Promise<boolean> {
    if (this.#state !== "greeted" && this.#state !== "opening") return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#onSign = resolve;
      this.link.ping();
    });
  }

  /** The device answered a ping. */
  answered(): void {
    this.#onSign?.(true);
  }

  /** Pages go one at a time; a slow reader makes the node wait. */
  async sendPage(frame: ServerFrame): Promise<void> {
    this.#checkOpen();
    this.link.toClient(frame);
    await this.#host.wait(this.#host.scheduler.between(0, 5));
    this.#checkOpen();
  }

  /** Takes no more frames, answers what is in flight, then closes. */
  drain(): void {
    if (this.#state !== "opening" && this.#state !== "greeted") return;
    this.#leave("draining");
    if (this.#inFlight === 0) this.#cut("drain");
  }

  close(reason: CloseReason): void {
    if (this.#state === "closed") return;
    if (this.#state !== "draining") this.#leave("draining");
    this.#cut(reason);
  }

  /** The socket ended. */
  ended(): void {
    if (this.#state === "closed") return;
    if (this.#state !== "draining") this.#leave("closed");
    this.#state = "closed";
    this.memory = undefined;
    this.#host.onClosed(this);
  }

  #leave(state: ConnectionState): void {
    const wasGreeted = this.#state === "greeted";
    this.#state = state;
    this.#onSign?.(false);
    this.#host.onLeaving(this, wasGreeted);
  }

  #cut(reason: CloseReason): void {
    this.link.cut(0, undefined, closeCodes[reason].code);
    this.ended();
  }

  #checkOpen(): void {
    if (this.#state === "closed") throw new WireError("draining");
  }
}
