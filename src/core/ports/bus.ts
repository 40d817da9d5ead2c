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
  | { readonly notice: "group_changed"; readonly groupId: Uuid; readonly version: number };

/** From any server process to the connections of users, wherever they are. Never throws for lost deliveries. */
export interface Bus {
  deliver(delivery: Delivery): void;
  announce(notice: Notice): void;
  /** The one receiver of this process; called once, before anything is delivered. */
  subscribe(receiver: { deliver(delivery: Delivery): void; notice(notice: Notice): void }): void;
}
