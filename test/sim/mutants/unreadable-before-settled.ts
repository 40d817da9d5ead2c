import type { Mutant } from "./mutant.ts";

/**
 * Found by the simulation in the product: pages called rows unreadable while the join that made them readable was not
 * settled yet, and devices never asked for them again. Here the node takes what it holds for all there is to know.
 */
export const unreadableBeforeSettled: Mutant = {
  name: "unreadable-before-settled",
  ports: (ports) => ({
    ...ports,
    groups: {
      commit: (draft) => ports.groups.commit(draft),
      load: (groupId) => ports.groups.load(groupId),
      pending: (groupId, changesMax) => ports.groups.pending(groupId, changesMax),
      settle: (groupId, version, seq) => ports.groups.settle(groupId, version, seq),
      ofUser: (userId) => ports.groups.ofUser(userId),
      async intervals(groupId, userId) {
        const intervals = await ports.groups.intervals(groupId, userId);
        return intervals.filter((interval) => interval.joinedSeq > 0);
      },
    },
    lists: {
      async all(userId) {
        return (await ports.lists.all(userId)).map((row) => ({ ...row, joinedSeq: 0 }));
      },
      async one(userId, conversationId) {
        const row = await ports.lists.one(userId, conversationId);
        return row && { ...row, joinedSeq: 0 };
      },
      write: (writes) => ports.lists.write(writes),
    },
  }),
};
