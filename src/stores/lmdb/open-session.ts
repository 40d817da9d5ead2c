import { assert } from "../../base/assert.ts";
import type { LoginOutcome, Sessions } from "../../core/ports/sessions.ts";
import { limits } from "../../protocol/limits.ts";
import type { Transaction } from "./batch.ts";
import { uuidKey } from "./keys.ts";
import { closeFamily, readDevices, sessions, writeDevices, writeSession, type StoredDevice } from "./session-tables.ts";

/** Sessions.open, as one operation of a commit. */
export function openSession(transaction: Transaction, login: Parameters<Sessions["open"]>[0]): LoginOutcome {
  const { userId, deviceName, at, session } = login;
  const { familyId } = session;
  assert(session.userId === userId, "a session belongs to the user who logs in");
  assert(transaction.get(sessions, uuidKey(familyId)) === undefined, "a new session has a new family");
  const { lastNumber, devices } = readDevices(transaction, userId);
  if (login.device === undefined) {
    if (devices.length >= limits.devicesPerUserMax) return { outcome: "too_many_devices" };
    const device = lastNumber + 1;
    const made: StoredDevice = { device, name: deviceName, createdAt: at, lastSeenAt: at, familyId };
    writeDevices(transaction, userId, { lastNumber: device, devices: [...devices, made] });
    writeSession(transaction, { ...session, device });
    return { outcome: "opened", device };
  }
  const known = devices.find(({ device }) => device === login.device);
  if (known === undefined) return { outcome: "no_such_device" };
  if (known.familyId !== undefined) closeFamily(transaction, known.familyId);
  const name = deviceName === "" ? known.name : deviceName;
  const used: StoredDevice = { ...known, name, lastSeenAt: at, familyId };
  writeDevices(transaction, userId, {
    lastNumber,
    devices: devices.map((device) => (device === known ? used : device)),
  });
  writeSession(transaction, { ...session, device: known.device });
  return { outcome: "opened", device: known.device };
}
