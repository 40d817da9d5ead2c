import type { Sessions } from "../../core/ports/sessions.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { openSession } from "./open-session.ts";
import type { Postgres } from "./postgres.ts";
import { revokeSessions } from "./revoke-sessions.ts";
import { rotateSession } from "./rotate-session.ts";
import { sessionColumns, toSession, type SessionRow } from "./session-rows.ts";
import { statement } from "./statement.ts";

const sessionByAccess = statement("session_by_access", `SELECT ${sessionColumns} FROM sessions WHERE access_hash = $1`);

const devicesOfUser = statement(
  "devices_of_user",
  `SELECT device, name, created_at, last_seen_at FROM devices WHERE user_id = $1 ORDER BY device`,
);

const openFamilies = statement("open_families", `SELECT family_id FROM sessions WHERE family_id = ANY($1::uuid[])`);

interface DeviceRow {
  readonly device: number;
  readonly name: string;
  readonly created_at: number;
  readonly last_seen_at: number;
}

/**
 * Devices and sessions in PostgreSQL. A family is open from its login until logout, removal of its device, another login on
 * the device, or the return of a refresh token that was used; then its row is gone with all its tokens.
 */
export function createPostgresSessions(postgres: Postgres): Sessions {
  return {
    open: (login) => openSession(postgres, login),
    rotate: (refreshHash, next, at) => rotateSession(postgres, refreshHash, next, at),
    revoke: (userId, scope) => revokeSessions(postgres, userId, scope),

    async byAccess(accessHash) {
      const { rows } = await postgres.query<SessionRow>(sessionByAccess, [accessHash]);
      return rows[0] && toSession(rows[0]);
    },

    async devices(userId) {
      const { rows } = await postgres.query<DeviceRow>(devicesOfUser, [userId]);
      return rows.map(({ device, name, created_at: createdAt, last_seen_at: lastSeenAt }) => ({
        userId,
        device,
        name,
        createdAt,
        lastSeenAt,
      }));
    },

    async alive(familyIds) {
      if (familyIds.length === 0) return new Set();
      const { rows } = await postgres.query<{ readonly family_id: Uuid }>(openFamilies, [familyIds]);
      return new Set(rows.map((row) => row.family_id));
    },
  };
}
