import type { Uuid } from "../../protocol/ids.ts";

/**
 * replaced: another connection of this device was registered since; close this one. unsettled: it is not known which one
 * was registered last (the store came back with an older memory), or this process may hold none any more (another one has
 * its name); close it so that its client connects again, and is the last one by that.
 */
export type Refreshed = "held" | "replaced" | "unsettled";

/**
 * Which server process holds which connection, so that the bus of any other process finds it. Soft state: lost as a
 * whole, it is registered again (see `onLost`). One connection a device: of two, the one on which the device answered last.
 * Errors: WireError `store_unavailable`.
 */
export interface ConnectionRegistry {
  /**
   * Takes the device for this connection, and resolves with undefined once a delivery begun from now on, by any process,
   * reaches it. If another connection of a living process has the device nothing is taken, and the answer is that holder:
   * its device may have come back there after it left here. Who has seen since that the device answers here asks again
   * with that holder as `instead`; it is replaced unless yet another one came between, which is then the answer.
   */
  register(userId: Uuid, device: number, connection: string, instead?: string): Promise<string | undefined>;
  /** Together with the heartbeat, at the latest every connectionTtlMs. Says what has become of the registration. */
  refresh(userId: Uuid, device: number, connection: string): Promise<Refreshed>;
  /** Forgets it, unless another one of the device was registered since. Idempotent. */
  forget(userId: Uuid, device: number, connection: string): Promise<void>;
  /**
   * Called once, with what to do when registrations or deliveries may have been lost (the store lost its memory, frames
   * of another process are missing, the own lease ended): register every connection again and tell each to sync.
   */
  onLost(handler: (reason: string) => void): void;
  /** Called once, with what to do when a connection of this process may have been replaced by another one: refresh it now. */
  onDisplaced(handler: (userId: Uuid, connection: string) => void): void;
}
