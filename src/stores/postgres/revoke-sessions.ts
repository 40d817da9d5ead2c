import type { Sessions } from "../../core/ports/sessions.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Postgres } from "./postgres.ts";
import { endDeviceSession, lockDevices } from "./session-rows.ts";
import { statement } from "./statement.ts";

const endUserSessions = statement("end_user_sessions", `DELETE FROM sessions WHERE user_id = $1 RETURNING device`);

/** Its number stays taken. */
const removeDevice = statement(
  "remove_device",
  `WITH removed AS (
     DELETE FROM devices WHERE user_id = $1 AND device = $2 RETURNING user_id, device
   ), counted AS (
     UPDATE device_numbers n SET device_count = n.device_count - 1 FROM removed WHERE n.user_id = removed.user_id
   )
   SELECT device FROM removed`,
);

interface DeviceRow {
  readonly device: number;
}

/** Sessions.revoke. Used tokens go with their session. */
export async function revokeSessions(
  postgres: Postgres,
  userId: Uuid,
  scope: Parameters<Sessions["revoke"]>[1],
): Promise<readonly number[]> {
  if (scope === "all") {
    const { rows } = await postgres.query<DeviceRow>(endUserSessions, [userId]);
    return rows.map(({ device }) => device).toSorted((one, other) => one - other);
  }
  const { device } = scope;
  if (!scope.remove) {
    const { rows } = await postgres.query<DeviceRow>(endDeviceSession, [userId, device]);
    return rows.map((row) => row.device);
  }
  return postgres.transaction(async (transaction) => {
    if ((await transaction.query(lockDevices, [userId])).count === 0) return [];
    await transaction.query(endDeviceSession, [userId, device]);
    const { rows } = await transaction.query<DeviceRow>(removeDevice, [userId, device]);
    return rows.map((row) => row.device);
  });
}
