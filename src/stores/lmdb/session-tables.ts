import { present } from "../../base/assert.ts";
import type { Device, Session } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Transaction } from "./batch.ts";
import { flagTable, idTable } from "./directory-tables.ts";
import { uuidKey, uuidNumberKey, type Key } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import type { Reader } from "./snapshot.ts";
import type { Table } from "./tables.ts";

/**
 * How devices and sessions lie in LMDB. A device has at most one open session (family), a user a handful of devices, and
 * a family that closes takes all its tokens along, so every table here is bounded by the number of users.
 */
export type StoredSession = Omit<Session, "familyId">;

export interface StoredDevice extends Omit<Device, "userId"> {
  /** The open session of the device. */
  readonly familyId?: Uuid;
}

/** The device without its session. */
export function loggedOut(known: StoredDevice): StoredDevice {
  const { device, name, createdAt, lastSeenAt } = known;
  return { device, name, createdAt, lastSeenAt };
}

export interface StoredDevices {
  /** Highest number ever given to a device of the user, so that none is given twice. */
  readonly lastNumber: number;
  /** Ascending number. */
  readonly devices: readonly StoredDevice[];
}

export interface StoredRefresh {
  readonly familyId: Uuid;
  /** Version of the session that this token rotates; below the session's own = it was used. */
  readonly version: number;
}

/** user */
const devicesOfUsers = packedTable<StoredDevices>("devices");
/** family */
export const sessions = packedTable<StoredSession>("sessions");
/** The same rows for whoever only asks whether there is one: not decoded. For reading outside of operations only. */
export const openFamilies = flagTable("sessions");
/** SHA-256 of the access token that is valid now → family */
export const accessHashes = idTable("session_access_hashes");
/** SHA-256 of each refresh token of an open family, used or not. */
export const refreshHashes = packedTable<StoredRefresh>("session_refresh_hashes");
/** family, version → SHA-256 of its refresh token: what to forget when the family closes. */
const refreshVersions: Table<Key> = {
  name: "session_refresh_versions",
  encode: (hash) => hash,
  decode: (bytes) => Buffer.from(bytes),
};

export function readDevices(reader: Reader, userId: Uuid): StoredDevices {
  return reader.get(devicesOfUsers, uuidKey(userId)) ?? { lastNumber: 0, devices: [] };
}

export function writeDevices(transaction: Transaction, userId: Uuid, devices: StoredDevices): void {
  transaction.put(devicesOfUsers, uuidKey(userId), devices);
}

/** Makes `session` the current version of its family. */
export function writeSession(transaction: Transaction, { familyId, ...session }: Session): void {
  const { version, accessHash, refreshHash } = session;
  transaction.put(sessions, uuidKey(familyId), session);
  transaction.put(accessHashes, hashKey(accessHash), familyId);
  transaction.put(refreshHashes, hashKey(refreshHash), { familyId, version });
  transaction.put(refreshVersions, uuidNumberKey(familyId, version), hashKey(refreshHash));
}

/** Forgets the family with every token it ever had. The caller takes it off its device. */
export function closeFamily(transaction: Transaction, familyId: Uuid): void {
  const session = present(transaction.get(sessions, uuidKey(familyId)), "the session of an open family");
  const oldest = Math.max(1, session.version - limits.refreshHashesKeptMax + 1);
  for (let version = oldest; version <= session.version; version++) forgetRefresh(transaction, familyId, version);
  transaction.remove(accessHashes, hashKey(session.accessHash));
  transaction.remove(sessions, uuidKey(familyId));
}

/** Forgets one refresh token that the family has or had. */
export function forgetRefresh(transaction: Transaction, familyId: Uuid, version: number): void {
  const key = uuidNumberKey(familyId, version);
  transaction.remove(refreshHashes, present(transaction.get(refreshVersions, key), "the refresh token of a version"));
  transaction.remove(refreshVersions, key);
}

export function hashKey(hash: Uint8Array): Key {
  return Buffer.from(hash);
}
