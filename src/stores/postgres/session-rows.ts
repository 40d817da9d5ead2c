import type { Session } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { statement } from "./statement.ts";

/**
 * Whoever opens or removes devices of a user takes this row first, then sessions, then devices; a rotation takes a session,
 * then its device. So nobody waits for anybody in a ring.
 */
export const lockDevices = statement(
  "lock_devices",
  `SELECT last_device FROM device_numbers WHERE user_id = $1 FOR UPDATE`,
);

export const endDeviceSession = statement(
  "end_device_session",
  `DELETE FROM sessions WHERE user_id = $1 AND device = $2 RETURNING device`,
);

export const sessionColumns =
  "family_id, user_id, device, version, refresh_hash, access_hash, access_expires_at, refresh_expires_at";

export interface SessionRow {
  readonly family_id: Uuid;
  readonly user_id: Uuid;
  readonly device: number;
  readonly version: number;
  readonly refresh_hash: Uint8Array;
  readonly access_hash: Uint8Array;
  readonly access_expires_at: number;
  readonly refresh_expires_at: number;
}

export function toSession(row: SessionRow): Session {
  return {
    familyId: row.family_id,
    userId: row.user_id,
    device: row.device,
    version: row.version,
    refreshHash: row.refresh_hash,
    accessHash: row.access_hash,
    accessExpiresAt: row.access_expires_at,
    refreshExpiresAt: row.refresh_expires_at,
  };
}
