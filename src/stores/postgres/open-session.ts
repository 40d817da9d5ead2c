import { assert } from "../../base/assert.ts";
import type { LoginOutcome, Sessions } from "../../core/ports/sessions.ts";
import { limits } from "../../protocol/limits.ts";
import type { Postgres } from "./postgres.ts";
import { endDeviceSession, lockDevices, sessionColumns } from "./session-rows.ts";
import { statement } from "./statement.ts";

type Login = Parameters<Sessions["open"]>[0];

/** The session of $5 … $10 on the device that `opened` answers. */
const insertSession = `
   INSERT INTO sessions (${sessionColumns})
   SELECT $5, $1, device, $6, $7, $8, $9, $10 FROM opened
   RETURNING device`;

/** The row of numbers is where logins of one user meet: each takes its number from what the one before it left there. */
const openNewDevice = statement(
  "open_new_device",
  `WITH numbered AS (
     INSERT INTO device_numbers AS n (user_id, last_device, device_count) VALUES ($1, 1, 1)
     ON CONFLICT (user_id) DO UPDATE SET last_device = n.last_device + 1, device_count = n.device_count + 1
     WHERE n.device_count < $2
     RETURNING last_device
   ), opened AS (
     INSERT INTO devices (user_id, device, name, created_at, last_seen_at)
     SELECT $1, last_device, $3, $4, $4 FROM numbered
     RETURNING device
   )
   ${insertSession}`,
);

/** A login that names no device keeps the name it has. */
const openKnownDevice = statement(
  "open_known_device",
  `WITH opened AS (
     UPDATE devices SET name = CASE $3 WHEN '' THEN name ELSE $3 END, last_seen_at = $4
     WHERE user_id = $1 AND device = $2
     RETURNING device
   )
   ${insertSession}`,
);

/** Sessions.open. */
export async function openSession(postgres: Postgres, login: Login): Promise<LoginOutcome> {
  assert(login.session.userId === login.userId, "a session belongs to the user who logs in");
  return login.device === undefined ? openOnNew(postgres, login) : openOnKnown(postgres, login, login.device);
}

async function openOnNew(postgres: Postgres, login: Login): Promise<LoginOutcome> {
  const values = valuesOf(login, limits.devicesPerUserMax);
  const { rows } = await postgres.query<{ readonly device: number }>(openNewDevice, values);
  return rows[0] === undefined ? { outcome: "too_many_devices" } : { outcome: "opened", device: rows[0].device };
}

async function openOnKnown(postgres: Postgres, login: Login, device: number): Promise<LoginOutcome> {
  return postgres.transaction(async (transaction) => {
    // Who has no row has no device either; and what comes to be from now on would not be under the lock.
    if ((await transaction.query(lockDevices, [login.userId])).count === 0) return { outcome: "no_such_device" };
    await transaction.query(endDeviceSession, [login.userId, device]);
    const { count } = await transaction.query(openKnownDevice, valuesOf(login, device));
    return count === 0 ? { outcome: "no_such_device" } : { outcome: "opened", device };
  });
}

function valuesOf({ userId, deviceName, at, session }: Login, second: number): readonly unknown[] {
  const { familyId, version, refreshHash, accessHash, accessExpiresAt, refreshExpiresAt } = session;
  return [
    userId,
    second,
    deviceName,
    at,
    familyId,
    version,
    refreshHash,
    accessHash,
    accessExpiresAt,
    refreshExpiresAt,
  ];
}
