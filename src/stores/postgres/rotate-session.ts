import type { RotateOutcome, Sessions } from "../../core/ports/sessions.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Postgres } from "./postgres.ts";
import { sessionColumns, toSession, type SessionRow } from "./session-rows.ts";
import { statement } from "./statement.ts";

/**
 * Of several with one token the first moves the session on; the others wait for its row and then find another token there.
 * A token so old that it is forgotten still opens nothing, but its return no longer gives the thief away.
 */
const rotateToken = statement(
  "rotate_token",
  `WITH rotated AS (
     UPDATE sessions SET
       version = version + 1,
       refresh_hash = $2,
       access_hash = $3,
       access_expires_at = $4,
       refresh_expires_at = $5
     WHERE refresh_hash = $1 AND refresh_expires_at > $6
     RETURNING ${sessionColumns}
   ), used AS (
     INSERT INTO used_refresh_hashes (refresh_hash, family_id, version) SELECT $1, family_id, version - 1 FROM rotated
   ), forgotten AS (
     DELETE FROM used_refresh_hashes u USING rotated
     WHERE u.family_id = rotated.family_id AND u.version <= rotated.version - $7
   ), seen AS (
     UPDATE devices d SET last_seen_at = greatest(d.last_seen_at, $6) FROM rotated
     WHERE d.user_id = rotated.user_id AND d.device = rotated.device
   )
   SELECT ${sessionColumns} FROM rotated`,
);

/** Its own statement, so that it sees what whoever used the token first has written. */
const closeReused = statement(
  "close_reused",
  `DELETE FROM sessions s USING used_refresh_hashes u
   WHERE u.refresh_hash = $1 AND s.family_id = u.family_id AND s.refresh_expires_at > $2
   RETURNING s.user_id, s.device`,
);

/** Sessions.rotate. Whoever guesses tokens writes nothing and locks nothing. */
export async function rotateSession(
  postgres: Postgres,
  refreshHash: Uint8Array,
  next: Parameters<Sessions["rotate"]>[1],
  at: number,
): Promise<RotateOutcome> {
  const { rows } = await postgres.query<SessionRow>(rotateToken, [
    refreshHash,
    next.refreshHash,
    next.accessHash,
    next.accessExpiresAt,
    next.refreshExpiresAt,
    at,
    limits.refreshHashesKeptMax,
  ]);
  if (rows[0] !== undefined) return { outcome: "rotated", session: toSession(rows[0]) };
  const closed = await postgres.query<{ readonly user_id: Uuid; readonly device: number }>(closeReused, [
    refreshHash,
    at,
  ]);
  const [reused] = closed.rows;
  return reused === undefined
    ? { outcome: "unknown" }
    : { outcome: "reused", userId: reused.user_id, device: reused.device };
}
