import type { Caller } from "../../src/core/api.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import type { ConnectionMemory } from "../../src/server/connection/connection-memory.ts";
import type { Link } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";

/** One connection on the side of its node: what the real routes use of a connection, over a simulated link. */
export class SimConnection {
  readonly caller: Caller;
  readonly link: Link;
  state: "opening" | "greeted" | "closed" = "opening";
  memory: ConnectionMemory | undefined = undefined;
  readonly #scheduler: Scheduler;
  readonly #onClosed: (connection: SimConnection) => void;

  constructor(scheduler: Scheduler, link: Link, caller: Caller, onClosed: (connection: SimConnection) => void) {
    this.#scheduler = scheduler;
    this.link = link;
    this.caller = caller;
    this.#onClosed = onClosed;
  }

  send(frame: ServerFrame): void {
    if (this.state !== "closed") this.link.toClient(frame);
  }

  /** Pages go one at a time; a slow reader makes the node wait. */
  async sendPage(frame: ServerFrame): Promise<void> {
    this.#checkOpen();
    this.link.toClient(frame);
    await this.#scheduler.sleep(this.#scheduler.between(0, 5));
    this.#checkOpen();
  }

  close(code: number): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#onClosed(this);
    this.link.cut(0, undefined, code);
  }

  #checkOpen(): void {
    if (this.state === "closed") throw new WireError("draining");
  }
}
