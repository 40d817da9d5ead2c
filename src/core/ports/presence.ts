import type { Uuid } from "../../protocol/ids.ts";

export interface PresenceState {
  readonly online: boolean;
  /** ms since the epoch; 0 = unknown. */
  readonly lastSeenAt: number;
}

/**
 * Who is connected and alive. Soft state: it may be lost as a whole and comes back within one heartbeat.
 * A user is online while any device beat within presenceTtlMs. Errors: WireError `store_unavailable`.
 */
export interface Presence {
  /** The device is connected and beat at `at`. */
  beat(userId: Uuid, device: number, connection: string, at: number): Promise<void>;
  /** The connection ended; a newer connection of the same device is not touched. */
  leave(userId: Uuid, device: number, connection: string, at: number): Promise<void>;
  /** In the order asked. */
  lookup(userIds: readonly Uuid[], at: number): Promise<readonly PresenceState[]>;
}

/** Who is typing where; entries end by themselves after typingTtlMs. */
export interface Typing {
  start(conversationId: Uuid, userId: Uuid, at: number): Promise<void>;
  list(conversationId: Uuid, at: number): Promise<readonly Uuid[]>;
}
