import type { Uuid } from "../../protocol/ids.ts";
import type { Span } from "./spans.ts";

/**
 * What a run knows of who was there and who was seen there, from the workers to the driver. Times are ms since the common
 * t0; a worker's own clock is the machine's monotonic one, so that those of two workers can be compared.
 */

/** How a connection ended: closed by its device, lost, or kept open by a device that reads and writes nothing any more. */
export type LifeEnd = "left" | "lost" | "vanished";

/** One connection of a device of a user who is watched. */
export interface Life {
  readonly userId: Uuid;
  /** Told apart from the other devices of the user, whatever its number is. */
  readonly device: number;
  /** Place in the list of servers. */
  readonly server: number;
  /** HELLO was sent. */
  readonly askedAtMs: number;
  /** WELCOME came; undefined: never. */
  readonly upAtMs: number | undefined;
  /** The device knew of its end; undefined: it is still there. */
  readonly downAtMs: number | undefined;
  readonly end: LifeEnd | undefined;
  /** Heartbeats in order: when each was sent, and when it was answered (NaN: never), in turn. */
  readonly beats: Float64Array;
}

/**
 * What a watcher was told of a user, the same in a row being one: from the first time to the last time or, if it was told
 * otherwise on the same connection, until then.
 */
export interface Sight {
  readonly userId: Uuid;
  readonly online: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One connection of somebody who watches. */
export interface Watch {
  /** Number among the watchers of the run. */
  readonly watcher: number;
  readonly server: number;
  /** From then on it asked and was told. */
  readonly sinceMs: number;
  /** In the order of time. */
  readonly sights: readonly Sight[];
}

export interface PresenceObservations {
  readonly lives: readonly Life[];
  readonly watches: readonly Watch[];
  /** When the worker itself stood still: what it noted then, it noted late. */
  readonly stalls: readonly Span[];
  /** When there was no more room to note anything; Infinity: there was to the end. */
  readonly untilMs: number;
}
