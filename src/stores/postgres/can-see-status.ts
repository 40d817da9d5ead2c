import type { Uuid } from "../../protocol/ids.ts";
import type { Queries } from "./postgres.ts";
import { statement } from "./statement.ts";

/** $1 = whose status, $2 = who looks. A block works both ways; one's own status one always sees. */
const canSeeStatusOf = statement(
  "can_see_status",
  `SELECT s.user_id = $2 OR (
     CASE s.last_seen
       WHEN 'everyone' THEN true
       WHEN 'contacts' THEN EXISTS (SELECT FROM contacts WHERE user_id = $1 AND contact_user_id = $2)
       ELSE false
     END
     AND NOT EXISTS (
       SELECT FROM blocked_users
       WHERE (user_id, blocked_user_id) IN (($1, $2), ($2, $1))
     )
   ) AS can_see_status
   FROM user_settings s
   WHERE s.user_id = $1`,
);

/**
 * Whether `viewerId` may see when `ownerId` was last seen, and so whether that user is online, in one read. The same answer
 * as the core's table of privacy gives from three. False when there is no such owner.
 */
export async function canSeeStatus(queries: Queries, ownerId: Uuid, viewerId: Uuid): Promise<boolean> {
  const { rows } = await queries.query<{ readonly can_see_status: boolean }>(canSeeStatusOf, [ownerId, viewerId]);
  return rows[0]?.can_see_status ?? false;
}
