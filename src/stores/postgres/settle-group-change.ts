import { assert } from "../../base/assert.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Queries } from "./postgres.ts";
import { statement } from "./statement.ts";

/**
 * Locks the group first, as a change does, so that the two never wait for each other in a ring. All rows that belong to a
 * version were there when it was committed; `touched` finds them by key, and one who has left meanwhile is in no row.
 */
const settleChange = statement(
  "settle_change",
  `WITH locked AS (
     SELECT group_id FROM groups WHERE group_id = $1 FOR NO KEY UPDATE
   ), settled AS (
     UPDATE group_changes c SET seq = $3 FROM locked
     WHERE c.group_id = locked.group_id AND c.version = $2 AND c.seq = 0
     RETURNING c.actor_id, c.user_ids
   ), touched AS (
     SELECT DISTINCT unnest(user_ids || actor_id) AS user_id FROM settled
   ), joined AS (
     UPDATE member_intervals i SET joined_seq = $3 FROM touched
     WHERE i.group_id = $1 AND i.user_id = touched.user_id AND i.joined_version = $2
   ), gone AS (
     UPDATE member_intervals i SET left_seq = $3 + 1 FROM touched
     WHERE i.group_id = $1 AND i.user_id = touched.user_id AND i.left_version = $2
   )
   UPDATE group_members m SET joined_seq = $3 FROM touched
   WHERE m.group_id = $1 AND m.user_id = touched.user_id AND m.joined_version = $2`,
);

/** Groups.settle. The first settling counts; what does not exist is left alone. */
export async function settleGroupChange(queries: Queries, groupId: Uuid, version: number, seq: number): Promise<void> {
  assert(Number.isInteger(seq) && seq >= 1, `settled at seq ${seq}`);
  await queries.query(settleChange, [groupId, version, seq]);
}
