import type { Groups } from "../../core/ports/groups.ts";
import { commitGroupChange } from "./commit-group-change.ts";
import { ascendingNumber, under } from "./directory-tables.ts";
import type { Environment } from "./environment.ts";
import { intervals, memberships, pendingChanges, readChange, readGroup } from "./group-tables.ts";
import { uuidKey, uuidOfKey, uuidPairKey } from "./keys.ts";
import { settleGroupChange } from "./settle-group-change.ts";

const everyGroup = { start: Buffer.alloc(1), end: Buffer.alloc(17, 0xff) };

/**
 * Groups in LMDB. Operations run one after the other, so that of two commits on one version the second sees the first.
 *
 * A reading interval goes through: joined (joinedSeq 0: reads nothing) → readable (its change settled) → left (no longer
 * a member, still open for its reader) → closed (the change that ended it settled). Intervals are never deleted: they
 * are what one may read of the past.
 */
export function createLmdbGroups(environment: Environment): Groups {
  return {
    commit: (draft) => environment.write((transaction) => commitGroupChange(transaction, draft)),

    settle: (groupId, version, seq) =>
      environment.write((transaction) => settleGroupChange(transaction, groupId, version, seq)),

    async load(groupId) {
      return readGroup(environment, groupId);
    },

    async pending(groupId, changesMax) {
      const range = groupId === undefined ? everyGroup : under(uuidKey(groupId));
      const entries = environment.range(pendingChanges, { ...range, entriesMax: changesMax });
      return entries.map(({ key }) => readChange(environment, uuidOfKey(key), ascendingNumber(key)));
    },

    async intervals(groupId, userId) {
      const prefix = userId === undefined ? uuidKey(groupId) : uuidPairKey(groupId, userId);
      const entries = environment.range(intervals, under(prefix));
      const found = entries.map(({ key, value }) => ({ userId: uuidOfKey(key, 16), ...value }));
      return found.toSorted((one, other) => one.joinedSeq - other.joinedSeq);
    },

    async ofUser(userId) {
      return environment.range(memberships, under(uuidKey(userId))).map(({ key }) => uuidOfKey(key, 16));
    },
  };
}
