import type { CorePorts } from "../api.ts";
import type { Belief } from "../belief.ts";
import type { DirectoryCache } from "../directory-cache.ts";
import type { FanOutSends } from "../fan-out/fan-out-sends.ts";
import type { KnownRows } from "../lists/known-rows.ts";
import type { GroupStatus } from "../receipts/group-status.ts";

/** What the operations of a lane work with. */
export interface LaneContext {
  readonly ports: Pick<CorePorts, "log" | "lists" | "groups" | "users" | "relations" | "media" | "bus" | "clock">;
  readonly directory: DirectoryCache;
  readonly groupStatus: GroupStatus;
  readonly known: KnownRows;
  readonly fanOut: FanOutSends;
  /** Whether a lane may still use what it read of a block. */
  readonly belief: Belief;
  /** Rank of the last send that was called. */
  readonly tickets: { last: number };
}
