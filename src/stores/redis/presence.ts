import type { Clock } from "../../base/clock.ts";
import type { RedisClient } from "./connect.ts";
import type { Losses } from "./losses.ts";
import type { NodeLease } from "./lease.ts";
import { LeasePresence } from "./presence-lease.ts";
import { createLiteralPresence } from "./presence-literal.ts";
import type { RedisPresence } from "./redis-presence.ts";

/** literal: every heartbeat is a write whose TTL runs. lease: the process answers for its connections. */
export type PresenceMode = "literal" | "lease";

/** `lease` must have been started before the first beat; a process that only looks (lookup) needs none that is. */
export function createRedisPresence(
  redis: RedisClient,
  lease: NodeLease,
  options: {
    readonly mode: PresenceMode;
    readonly clock: Clock;
    /** Absent where nobody beats. */
    readonly losses?: Losses;
    /** Told what failed in the background; must not throw. */
    readonly onError: (error: unknown) => void;
    readonly presenceTtlMs?: number;
    readonly lastSeenTtlMs?: number;
  },
): RedisPresence {
  switch (options.mode) {
    case "literal":
      return createLiteralPresence(redis, options);
    case "lease":
      return new LeasePresence(redis, lease, options);
  }
}
