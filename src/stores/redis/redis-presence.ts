import type { Presence } from "../../core/ports/presence.ts";

/** Presence that has timers or a connection of its own. */
export interface RedisPresence extends Presence {
  /** To be awaited before the first beat, once. Rejects with WireError when Redis does not answer. */
  start(): Promise<void>;
  /** Idempotent. */
  stop(): void;
}
