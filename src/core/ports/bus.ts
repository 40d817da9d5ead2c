import type { Uuid } from "../../protocol/ids.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";

/** A frame on its way to devices. Loss is allowed (devices repair by sync), doubling is allowed, order is not promised. */
export interface Delivery {
  readonly userIds: readonly Uuid[];
  readonly frame: ServerFrame;
  /** One device that must not get it (the one that caused it). */
  readonly except?: { readonly userId: Uuid; readonly device: number } | undefined;
}

/** What every server process must hear about, whoever is connected to it. */
export type Notice =
  | { readonly notice: "sessions_revoked"; readonly userId: Uuid; readonly devices: readonly number[] }
  | { readonly notice: "blocks_changed"; readonly ownerId: Uuid; readonly otherId: Uuid }
  | { readonly notice: "settings_changed"; readonly userId: Uuid }
  | { readonly notice: "group_changed"; readonly groupId: Uuid; readonly version: number };

/**
 * What is proven of the notices that reached this process, in ms of its monotonic clock: each one whose `announce` answered
 * true between `sinceMs` and `toMs`, at any process, was handed to the receiver here before `hearing` was asked. sinceMs
 * moves up whenever something may have been lost; toMs follows the clock as long as proofs come. So something read at r,
 * of which no notice came since, is at most now − toMs behind what others were told, if r ≥ sinceMs. Nothing is proven
 * where sinceMs > toMs, which is how a bus begins and what it says while it cannot hear.
 */
export interface Hearing {
  readonly sinceMs: number;
  readonly toMs: number;
}

/** From any server process to the connections of users, wherever they are. Never throws for lost deliveries. */
export interface Bus {
  deliver(delivery: Delivery): void;
  /**
   * Hands the notice to the own receiver before it returns. Resolves with true once every process that proves to hear (see
   * `hearing`) is certain to get it before its next proof; false: some may never hear of it, so whoever owes them must not
   * answer that it is done, and announces again on the repeat. To be called after the change is durable. Never rejects.
   */
  announce(notice: Notice): Promise<boolean>;
  /** Cheap: asked with every send. Of one process alone: from −Infinity to Infinity. */
  hearing(): Hearing;
  /** The one receiver of this process; called once, before anything is delivered. */
  subscribe(receiver: { deliver(delivery: Delivery): void; notice(notice: Notice): void }): void;
}
