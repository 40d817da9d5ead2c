import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Core, CorePorts } from "../core/api.ts";
import type { FanOutWorkers } from "../core/fan-out/create-fan-out-workers.ts";
import type { ConnectionRegistry } from "../core/ports/connection-registry.ts";
import type { Presence, PresenceInterest, Typing } from "../core/ports/presence.ts";
import type { RateLimits } from "../core/ports/rate-limits.ts";
import type { Sessions } from "../core/ports/sessions.ts";
import type { AccountDeps, Accounts } from "./accounts/account-types.ts";
import type { Config } from "./config/config-schema.ts";
import type { MediaServices, MediaStores } from "./media/media-services.ts";
import type { Metrics, Queues } from "./metrics.ts";
import type { RateRules } from "./rate-rules.ts";

export interface StoreDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeId: string;
}

/** What a profile opens: every port, on its stores. */
export interface StoreSet extends Omit<CorePorts, "clock" | "random" | "media">, MediaStores {
  readonly sessions: Sessions;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly rateLimits: RateLimits;
  /** undefined = there is one process only, and its hub knows every connection. */
  readonly registry: ConnectionRegistry | undefined;
  /** undefined = there is one process only. */
  readonly interest: PresenceInterest | undefined;
  /** Names of the stores that do not answer now, for /readyz; empty = all is well. */
  lost(): readonly string[];
  /** What waits for a store in this process, by store. */
  queues(): Queues;
  close(): Promise<void>;
}

/** Everything a server process is made of, apart from its sockets. */
export interface ServerContext extends MediaServices {
  readonly config: Config;
  /** Of this process; new with every start. */
  readonly nodeId: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly core: Core;
  readonly ports: CorePorts;
  readonly sessions: Sessions;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly rateLimits: RateLimits;
  readonly registry: ConnectionRegistry | undefined;
  readonly interest: PresenceInterest | undefined;
  /** Names of the stores that do not answer now. */
  lost(): readonly string[];
  /** What waits for a store in this process, by store. */
  queues(): Queues;
  /** Lists and pushes what sends to large groups left to be done; runs between the node's start and its end. */
  readonly fanOutWorkers: FanOutWorkers;
  readonly accounts: Accounts;
  readonly accountDeps: AccountDeps;
  readonly metrics: Metrics;
  rules: RateRules;
  /** Writes what waits and closes the stores. Once. */
  close(): Promise<void>;
}
