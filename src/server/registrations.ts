import type { Clock } from "../base/clock.ts";
import { randomBelow, type Random } from "../base/random.ts";
import type { ConnectionRegistry, Refreshed } from "../core/ports/connection-registry.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import type { Uuid } from "../protocol/ids.ts";

/** What the registrations know of a connection. */
export interface RegisteredConnection {
  readonly id: string;
  readonly caller: { readonly userId: Uuid; readonly device: number };
  send(frame: ServerFrame): void;
  /** Whether its device answers what it is asked now; false once the connection ends. */
  answers(): Promise<boolean>;
  close(reason: "replaced" | "resync" | "silent"): void;
}

export interface RegistrationsOptions {
  readonly registry: ConnectionRegistry;
  /** The greeted connections of this process. */
  readonly connections: () => Iterable<RegisteredConnection>;
  /** Those of them that were welcomed, of one user. */
  readonly of: (userId: Uuid) => Iterable<RegisteredConnection>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
}

/** Registrations under way at once while a process registers all of its connections again. */
const batchConnectionsMax = 256;
/** The clients of one process are asked to sync within this time, not all in one moment. */
export const resyncSpreadMs = 2_000;
const retryMs = 1_000;
/** How long a device may take to answer when another connection of it is registered. */
export const answerPatienceMs = 10_000;
/** Other connections of the device that may come between; a device that opens more at once has to come again. */
const contestsMax = 4;

/**
 * Keeps the registry true to the connections of this process, so that other processes find them.
 *
 *   settled ──the registry lost something, or did not take a registration──▶ mending ──all registered──▶ settled
 *                                                                             │  ▲
 *                                                              not answered  └──┘ again after a second
 *
 * A HELLO may be read long after it was sent, by a process that was paused, when its device has long connected elsewhere. So
 * a device that is registered elsewhere is asked over the new connection, and only its answer takes the old one's place;
 * that one is then closed at once (docs/decisions/0034).
 *
 * A registry that does not answer stops nobody: the connection is greeted and served, what others push to it is lost
 * meanwhile, and when the registry is back every connection is registered again and told to sync.
 *
 * While it is mended the registry does not know which of two connections of a device came last: what it holds may be one
 * that its device has long left. So whoever finds the device taken is closed with `resync`, connects again, and is the
 * last one by that. Only a registry that is settled says `replaced`, which keeps a client from coming back.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  #mending = false;
  #again = false;
  #stopped = false;
  /** Connections being registered, by id; each until it is welcomed. */
  readonly #registering = new Map<string, "asking" | "displaced" | "contested">();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    options.registry.onLost((reason) => this.#mend(reason));
    options.registry.onDisplaced((userId, connection) => this.#displaced(userId, connection));
  }

  /** Resolves once other processes find the connection, or it ended, or the registry did not answer. Never rejects. */
  async register(connection: RegisteredConnection): Promise<void> {
    try {
      await this.#take(connection);
      // The answer to the registration was overtaken by the news of the next one.
      if (this.#registering.get(connection.id) === "displaced") this.refresh(connection);
    } catch (error) {
      this.#options.onError(error);
      this.#mend("a registration was not taken");
    } finally {
      this.#registering.delete(connection.id);
    }
  }

  /** With each heartbeat. */
  refresh(connection: RegisteredConnection): void {
    const { userId, device } = connection.caller;
    this.#options.registry
      .refresh(userId, device, connection.id)
      .then((refreshed) => this.#settle(connection, refreshed), this.#options.onError);
  }

  forget(connection: RegisteredConnection): void {
    const { userId, device } = connection.caller;
    this.#options.registry.forget(userId, device, connection.id).catch(this.#options.onError);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #take(connection: RegisteredConnection): Promise<void> {
    const { userId, device } = connection.caller;
    let holder: string | undefined;
    for (let contests = 0; contests <= contestsMax; contests++) {
      this.#registering.set(connection.id, "asking");
      holder = await this.#options.registry.register(userId, device, connection.id, holder);
      if (holder === undefined) return;
      this.#registering.set(connection.id, "contested");
      if (!(await this.#answers(connection))) return;
    }
    connection.close("resync");
  }

  async #answers(connection: RegisteredConnection): Promise<boolean> {
    const patience = this.#options.clock.schedule(answerPatienceMs, () => connection.close("silent"));
    try {
      return await connection.answers();
    } finally {
      patience.cancel();
    }
  }

  /** Whatever the news is worth, the registry knows. */
  #displaced(userId: Uuid, id: string): void {
    if (this.#registering.get(id) === "asking") this.#registering.set(id, "displaced");
    for (const connection of Array.from(this.#options.of(userId))) if (connection.id === id) this.refresh(connection);
  }

  #mend(reason: string): void {
    // What is lost while everything is registered again may be lost to those that already were.
    this.#again = true;
    if (this.#mending || this.#stopped) return;
    this.#mending = true;
    void this.#registerAll(reason);
  }

  async #registerAll(reason: string): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      if (await this.#round()) this.#resync(reason);
      else {
        this.#again = true;
        await new Promise<void>((resolve) => this.#options.clock.schedule(retryMs, resolve));
      }
    }
    this.#mending = false;
  }

  /** Whether every connection was taken. */
  async #round(): Promise<boolean> {
    const { connections, registry, onError } = this.#options;
    // Who waits for an answer of its device holds nothing yet.
    const all = [...connections()].filter(({ id }) => this.#registering.get(id) !== "contested");
    for (let from = 0; from < all.length; from += batchConnectionsMax) {
      const batch = all.slice(from, from + batchConnectionsMax);
      const held = batch.map(async (connection) => {
        const { userId, device } = connection.caller;
        // Not `register`: that would take the device back from a connection which replaced this one elsewhere.
        this.#settle(connection, await registry.refresh(userId, device, connection.id));
      });
      const failed = (await Promise.allSettled(held)).find((result) => result.status === "rejected");
      if (failed === undefined) continue;
      onError(failed.reason);
      return false;
    }
    return true;
  }

  #settle(connection: RegisteredConnection, refreshed: Refreshed): void {
    switch (refreshed) {
      case "held":
        return;
      case "replaced":
        return connection.close(this.#mending ? "resync" : "replaced");
      case "unsettled":
        return connection.close("resync");
    }
  }

  #resync(reason: string): void {
    const { connections, clock, random } = this.#options;
    for (const connection of connections()) {
      clock.schedule(randomBelow(random, resyncSpreadMs), () => connection.send({ type: "RESYNC", reason }));
    }
  }
}
