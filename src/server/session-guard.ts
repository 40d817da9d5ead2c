import type { Sessions } from "../core/ports/sessions.ts";
import type { Uuid } from "../protocol/ids.ts";

/** What the guard knows of a connection. */
export interface GuardedConnection {
  readonly caller: { readonly userId: Uuid; readonly device: number };
  readonly familyId: Uuid;
  close(reason: "unauthenticated" | "device_removed"): void;
}

/**
 * Closes connections whose session ended. Called at once when a revocation is announced, and once a second for every
 * connection in batches, since an announcement may be lost. A store that does not answer closes nobody: the next round asks again.
 */
export class SessionGuard {
  readonly #sessions: Pick<Sessions, "alive" | "devices">;
  readonly #onError: (error: unknown) => void;

  constructor(sessions: Pick<Sessions, "alive" | "devices">, onError: (error: unknown) => void) {
    this.#sessions = sessions;
    this.#onError = onError;
  }

  async check(connections: readonly GuardedConnection[]): Promise<void> {
    try {
      const alive = await this.#sessions.alive(connections.map((connection) => connection.familyId));
      for (const connection of connections) if (!alive.has(connection.familyId)) await this.#end(connection);
    } catch (error) {
      this.#onError(error);
    }
  }

  async #end(connection: GuardedConnection): Promise<void> {
    const { userId, device } = connection.caller;
    const devices = await this.#sessions.devices(userId);
    connection.close(devices.some((known) => known.device === device) ? "unauthenticated" : "device_removed");
  }
}
