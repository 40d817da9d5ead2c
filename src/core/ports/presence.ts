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

/**
 * Which server processes have somebody who watches a user, so that a change is told to those and to no others. Soft state,
 * and news may be lost: whoever watches looks again by itself now and then.
 */
export interface PresenceInterest {
  /**
   * Resolves once this process is told of every change of these users that is stored from now on. To be repeated, all at
   * once, every few seconds as long as it holds: costs nothing while the store knows. Errors: WireError `store_unavailable`.
   */
  want(userIds: readonly Uuid[]): Promise<void>;
  /** Nobody watches them here any more. Never rejects. */
  release(userIds: readonly Uuid[]): Promise<void>;
  /** Something changed about this user, and is stored: tells the other processes that want to know. Never throws. */
  tell(userId: Uuid): void;
  /** Called once, with what to do about users that another process told of. */
  onTold(handler: (userIds: readonly Uuid[]) => void): void;
}

/** Who is typing where; entries end by themselves after typingTtlMs. */
export interface Typing {
  start(conversationId: Uuid, userId: Uuid, at: number): Promise<void>;
  list(conversationId: Uuid, at: number): Promise<readonly Uuid[]>;
}
