import type { Delivery } from "../core/ports/bus.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import type { Uuid } from "../protocol/ids.ts";
import { encodeTextFrame } from "./connection/text-frame.ts";

/** What the hub knows of a connection. */
export interface HubConnection {
  readonly caller: { readonly userId: Uuid; readonly device: number };
  /** Position among all connections of this process, in the order in which they were opened. */
  readonly ordinal: number;
  push(encoded: Buffer, type: ServerFrame["type"]): void;
  close(reason: "replaced"): void;
}

/**
 * The greeted connections of this process, by user and device. A connection is here from WELCOME until it begins to
 * close, so a frame delivered after WELCOME reaches it. One connection a device: the one that was opened
 * last, whichever says HELLO last. A client that connected anew has given up the connection before, and would take the
 * close code of the new one for the end of its session.
 */
export class Hub<C extends HubConnection = HubConnection> {
  /** At most devicesPerUserMax connections each. */
  readonly #byUser = new Map<Uuid, C[]>();
  #size = 0;

  /** Connections. */
  get size(): number {
    return this.#size;
  }

  /** Closes the older connection of the device. False: that is this one, and it was not added. */
  add(connection: C): boolean {
    const { userId, device } = connection.caller;
    const other = this.of(userId).find((present) => present.caller.device === device);
    if (other !== undefined && other.ordinal > connection.ordinal) {
      connection.close("replaced");
      return false;
    }
    // Closing takes the older one out of here.
    other?.close("replaced");
    const connections = this.#byUser.get(userId);
    if (connections === undefined) this.#byUser.set(userId, [connection]);
    else connections.push(connection);
    this.#size++;
    return true;
  }

  /** Idempotent. */
  remove(connection: C): void {
    const { userId } = connection.caller;
    const connections = this.#byUser.get(userId);
    const at = connections?.indexOf(connection) ?? -1;
    if (connections === undefined || at < 0) return;
    if (connections.length === 1) this.#byUser.delete(userId);
    else connections.splice(at, 1);
    this.#size--;
  }

  /** The connections of a user; not to be kept. */
  of(userId: Uuid): readonly C[] {
    return this.#byUser.get(userId) ?? none;
  }

  *all(): Generator<C> {
    for (const connections of this.#byUser.values()) yield* connections;
  }

  /** Encodes the frame once, and only if anyone here gets it. */
  deliver(delivery: Delivery): void {
    const { frame, except } = delivery;
    let encoded: Buffer | undefined;
    for (const userId of delivery.userIds) {
      const connections = this.#byUser.get(userId);
      if (connections === undefined) continue;
      // From the end, since a connection that overflows leaves the list.
      for (let at = connections.length - 1; at >= 0; at--) {
        const connection = connections[at] as C;
        const { device } = connection.caller;
        if (except !== undefined && except.device === device && except.userId === userId) continue;
        encoded ??= encodeTextFrame(JSON.stringify(frame));
        connection.push(encoded, frame.type);
      }
    }
  }

  /** To every connection. */
  broadcast(frame: ServerFrame): void {
    const encoded = encodeTextFrame(JSON.stringify(frame));
    for (const connection of Array.from(this.all())) connection.push(encoded, frame.type);
  }
}

const none: readonly never[] = [];
