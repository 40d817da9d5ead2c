import { present } from "../../base/assert.ts";
import type { Session } from "../../core/model.ts";
import type { RotateOutcome, Sessions } from "../../core/ports/sessions.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Transaction } from "./batch.ts";
import { uuidKey } from "./keys.ts";
import {
  accessHashes,
  closeFamily,
  forgetRefresh,
  hashKey,
  loggedOut,
  readDevices,
  refreshHashes,
  sessions,
  writeDevices,
  writeSession,
  type StoredDevice,
} from "./session-tables.ts";

/** Sessions.rotate, as one operation of a commit. */
export function rotateSession(
  transaction: Transaction,
  refreshHash: Uint8Array,
  next: Parameters<Sessions["rotate"]>[1],
  at: number,
): RotateOutcome {
  const refresh = transaction.get(refreshHashes, hashKey(refreshHash));
  if (refresh === undefined) return { outcome: "unknown" };
  const { familyId } = refresh;
  const session = present(transaction.get(sessions, uuidKey(familyId)), "the session of a refresh token");
  if (session.refreshExpiresAt <= at) return { outcome: "unknown" };
  const { userId, device } = session;
  if (refresh.version !== session.version) {
    closeFamily(transaction, familyId);
    changeDevice(transaction, userId, device, loggedOut);
    return { outcome: "reused", userId, device };
  }
  const version = session.version + 1;
  const rotated: Session = { familyId, userId, device, version, ...pickTokens(next) };
  transaction.remove(accessHashes, hashKey(session.accessHash));
  writeSession(transaction, rotated);
  // A token so old is unknown from now on: it still opens nothing, but its return no longer gives the thief away.
  const forgotten = version - limits.refreshHashesKeptMax;
  if (forgotten >= 1) forgetRefresh(transaction, familyId, forgotten);
  changeDevice(transaction, userId, device, (known) => ({ ...known, lastSeenAt: Math.max(at, known.lastSeenAt) }));
  return { outcome: "rotated", session: rotated };
}

function pickTokens(next: Parameters<Sessions["rotate"]>[1]): typeof next {
  const { refreshHash, accessHash, accessExpiresAt, refreshExpiresAt } = next;
  return { refreshHash, accessHash, accessExpiresAt, refreshExpiresAt };
}

function changeDevice(
  transaction: Transaction,
  userId: Uuid,
  device: number,
  change: (known: StoredDevice) => StoredDevice,
): void {
  const { lastNumber, devices } = readDevices(transaction, userId);
  const changed = devices.map((known) => (known.device === device ? change(known) : known));
  writeDevices(transaction, userId, { lastNumber, devices: changed });
}
