import type { Sessions } from "../../core/ports/sessions.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Transaction } from "./batch.ts";
import { closeFamily, loggedOut, readDevices, writeDevices, type StoredDevice } from "./session-tables.ts";

/** Sessions.revoke, as one operation of a commit. */
export function revokeSessions(
  transaction: Transaction,
  userId: Uuid,
  scope: Parameters<Sessions["revoke"]>[1],
): readonly number[] {
  const { lastNumber, devices } = readDevices(transaction, userId);
  const affected: number[] = [];
  const kept: StoredDevice[] = [];
  for (const known of devices) {
    const { familyId } = known;
    const isMeant = scope === "all" || scope.device === known.device;
    const remove = scope !== "all" && scope.remove && isMeant;
    if (isMeant && familyId !== undefined) closeFamily(transaction, familyId);
    if (isMeant && (remove || familyId !== undefined)) affected.push(known.device);
    if (!remove) kept.push(isMeant ? loggedOut(known) : known);
  }
  if (affected.length > 0) writeDevices(transaction, userId, { lastNumber, devices: kept });
  return affected;
}
