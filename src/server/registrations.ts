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
  close(reason: "replaced" | "resync"): void;
}

export interface RegistrationsOptions {
  readonly registry: ConnectionRegistry;
  /** The greeted connections of this process. */
  readonly connections: () => Iterable<RegisteredConnection>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
}

/** Registrations under way at once while a process registers all of its connections again. */
const batchConnectionsMax = 256;
/** The clients of one process are asked to sync within this time, not all in one moment. */
export const resyncSpreadMs = 2_000;
const retryMs = 1_000;

/**
 * Keeps the registry true to the connections of this process, so that other processes find them.
 *
 *   settled ──the registry lost something, or did not take a registration──▶ mending ──all registered──▶ settled
 *                                                                             │  ▲
 *                                                              not answered  └──┘ again after a second
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

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    options.registry.onLost((reason) => this.#mend(reason));
  }

  /** Resolves once other processes find the connection, or the registry did not answer. Never rejects. */
  async register(connection: RegisteredConnection): Promise<void> {
    const { userId, device } = connection.caller;
    try {
      await this.#options.registry.register(userId, device, connection.id);
    } catch (error) {
      this.#options.onError(error);
      this.#mend("a registration was not taken");
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
    const all = [...connections()];
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
