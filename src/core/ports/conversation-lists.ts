import type { Uuid } from "../../protocol/ids.ts";
import type { ListRow, ListWrite } from "../model.ts";

/**
 * The conversations of each user. Rows are registers: writes are idempotent, commute and only raise (mergeListRow).
 * Errors: WireError `store_unavailable`, `storage_full`.
 */
export interface ConversationLists {
  /** Every row of the user, in no particular order: never cut, the caller sorts and pages. */
  all(userId: Uuid): Promise<readonly ListRow[]>;

  one(userId: Uuid, conversationId: Uuid): Promise<ListRow | undefined>;

  /**
   * Durable when it resolves. The own watermarks of a reader (`recvSeq`, `read`) become durable no earlier than the rows
   * of others in the same call: where they stand, everyone can see it. A write with neither `last` nor `membership` to a row that does not exist makes no row.
   * Sees its own effects: a read begun after it resolved shows it.
   */
  write(writes: readonly ListWrite[]): Promise<void>;
}
