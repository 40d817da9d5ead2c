import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Core, CorePorts } from "../core/api.ts";
import type { Presence, Typing } from "../core/ports/presence.ts";
import type { RateLimits } from "../core/ports/rate-limits.ts";
import type { Sessions } from "../core/ports/sessions.ts";
import type { AccountDeps, Accounts } from "./accounts/account-types.ts";
import type { Config } from "./config/config-schema.ts";
import type { Metrics } from "./metrics.ts";
import type { RateRules } from "./rate-rules.ts";

/** Everything a server process is made of, apart from its sockets. */
export interface ServerContext {
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
  readonly accounts: Accounts;
  readonly accountDeps: AccountDeps;
  readonly metrics: Metrics;
  rules: RateRules;
  /** Writes what waits and closes the stores. Once. */
  close(): Promise<void>;
}
