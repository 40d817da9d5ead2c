import type { CorePorts } from "../api.ts";
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
  /** How long a lane may use what it read of a block without hearing of a change; Infinity where this process is the only writer. */
  readonly standingTtlMs: number;
  /** Rank of the last send that was called. */
  readonly tickets: { last: number };
}
