import { assert, present } from "../../base/assert.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Transaction } from "./batch.ts";
import { uuidPairNumberKey } from "./directory-tables.ts";
import { changes, groups, intervals, pendingChanges, type StoredInterval } from "./group-tables.ts";
import { uuidKey, uuidNumberKey } from "./keys.ts";

/** Groups.settle, as one operation of a commit. The first settling counts; what does not exist is left alone. */
export function settleGroupChange(transaction: Transaction, groupId: Uuid, version: number, seq: number): void {
  assert(Number.isInteger(seq) && seq >= 1, `settled at seq ${seq}`);
  const changeKey = uuidNumberKey(groupId, version);
  const change = transaction.get(changes, changeKey);
  if (change === undefined || change.seq !== 0) return;
  transaction.put(changes, changeKey, { ...change, seq });
  transaction.remove(pendingChanges, changeKey);
  for (const userId of change.joined) amend(transaction, groupId, userId, version, { joinedSeq: seq });
  for (const { userId, joinedVersion } of change.left) {
    amend(transaction, groupId, userId, joinedVersion, { leftSeq: seq + 1 });
  }
  if (change.joined.length > 0) showJoined(transaction, groupId, version, seq);
}

function amend(
  transaction: Transaction,
  groupId: Uuid,
  userId: Uuid,
  joinedVersion: number,
  amendment: Partial<StoredInterval>,
): void {
  const key = uuidPairNumberKey(groupId, userId, joinedVersion);
  const interval = present(transaction.get(intervals, key), "the interval of one who joined");
  transaction.put(intervals, key, { ...interval, ...amendment });
}

/** Those who have left again meanwhile, or left and joined anew, are not in the row or carry a later version. */
function showJoined(transaction: Transaction, groupId: Uuid, version: number, seq: number): void {
  const group = present(transaction.get(groups, uuidKey(groupId)), "the group of a change");
  const members = group.members.map((member) =>
    member.joinedVersion === version ? { ...member, joinedSeq: seq } : member,
  );
  transaction.put(groups, uuidKey(groupId), { ...group, members });
}
