import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Core } from "../../core/api.ts";
import type { MediaApi } from "../../core/media/media-api.ts";
import type { Presence } from "../../core/ports/presence.ts";
import type { Bus } from "../../core/ports/bus.ts";
import type { RateLimits } from "../../core/ports/rate-limits.ts";
import type { Relations } from "../../core/ports/relations.ts";
import type { ConversationSettingsStore, Users } from "../../core/ports/users.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { ApiCaller } from "./caller.ts";
import type { Accounts } from "../accounts/account-types.ts";
import type { RateRules } from "../rate-rules.ts";

/** What the HTTP operations work with. */
export interface ApiServices {
  readonly core: Core;
  readonly accounts: Accounts;
  readonly users: Users;
  readonly relations: Relations;
  readonly settings: ConversationSettingsStore;
  readonly presence: Presence;
  /** Who may see when this user is online has changed, and is stored. Never throws. */
  readonly presenceChanged: (userId: Uuid) => void;
  readonly media: MediaApi;
  /** Address of this server as clients see it; undefined = what each calls it. */
  readonly publicUrl: string | undefined;
  /** Proxies whose word on who asks is taken. */
  readonly proxiesTrusted: number;
  readonly bus: Pick<Bus, "announce" | "deliver">;
  readonly rateLimits: RateLimits;
  /** Those that hold now. */
  readonly rules: () => RateRules;
  readonly clock: Clock;
  readonly random: Random;
  /** Whose token this is, or undefined when it is missing, wrong, expired or revoked. */
  authenticate(token: string): Promise<ApiCaller | undefined>;
  /** An unexpected failure, to be logged with its cause. */
  onFailure(error: unknown, operation: string): void;
}
