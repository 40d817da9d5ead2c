import type { Clock } from "../../base/clock.ts";
import type { Core } from "../../core/api.ts";
import type { ConversationLists } from "../../core/ports/conversation-lists.ts";
import type { Bus } from "../../core/ports/bus.ts";
import type { Presence, Typing } from "../../core/ports/presence.ts";
import type { RateLimits } from "../../core/ports/rate-limits.ts";
import type { ClientFrameOf, ClientFrameType } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Connection } from "../connection/connection.ts";
import type { Hub } from "../hub.ts";
import type { PresenceWatch } from "../presence-watch.ts";
import type { RateRules } from "../rate-rules.ts";
import type { Registrations } from "../registrations.ts";

/** What the routes work with; one for all connections. */
export interface RouteServices {
  readonly nodeId: string;
  readonly core: Core;
  readonly lists: ConversationLists;
  readonly bus: Pick<Bus, "deliver">;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly rateLimits: RateLimits;
  readonly clock: Clock;
  readonly hub: Hub<Connection>;
  readonly watch: PresenceWatch;
  /** undefined = this is the only process. */
  readonly registrations: Registrations | undefined;
  /** Those that hold now. */
  readonly rules: () => RateRules;
}

type Answer = ServerFrame | undefined;

/** What the server does with one type of frame. */
export interface Route<T extends ClientFrameType> {
  /** Counted for the user of the connection. */
  readonly rule?: keyof RateRules;
  /**
   * Share of `draftsPerConnectionMax` that one such frame takes while it is being worked on: 1 for a message, more for
   * what holds a page in memory.
   */
  readonly weight: number;
  /** The frame was refused by a rate limit, so `run` is not called. */
  postponed?(services: RouteServices, connection: Connection, frame: ClientFrameOf<T>): void;
  /** The frame to answer with, if any. What is thrown becomes an ERROR. Must call the core in the turn it was called in. */
  run(services: RouteServices, connection: Connection, frame: ClientFrameOf<T>): Answer | Promise<Answer>;
}

/** Weight of what reads the store for a page: eight of them at once on one connection. */
export const pageWeight = 128;
