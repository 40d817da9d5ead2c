import type { LogHead } from "../../../src/core/model.ts";
import type { MessageLog } from "../../../src/core/ports/message-log.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/**
 * Appends state the head alone: what a node believes of the members is not compared with the version that the log has,
 * so a stale list of members decides who may write and whose lists are written.
 */
export const appendWithoutMembership: Mutant = {
  name: "append-without-membership",
  // The condition is what makes this harmless in the product.
  hears: (notice) => notice.notice !== "group_changed",
  ports(ports, { log }) {
    const believed = new Map<Uuid, number>();
    const blind = (groupId: Uuid, head: LogHead): LogHead => {
      const version = believed.get(groupId);
      return version === undefined ? head : { ...head, membership: Math.min(version, head.membership) };
    };
    const mutated: MessageLog = {
      bucketRows: ports.log.bucketRows,
      async newestBucket(conversationId, hintSeq, consistency) {
        const newest = await ports.log.newestBucket(conversationId, hintSeq, consistency);
        return newest && { ...newest, head: blind(conversationId, newest.head) };
      },
      async readBucket(...request) {
        const page = await ports.log.readBucket(...request);
        return page.head === undefined ? page : { ...page, head: blind(request[0], page.head) };
      },
      append(request) {
        const actual = log.headOf(request.conversationId)?.membership ?? request.expect.membership;
        const isChange = request.membership !== request.expect.membership;
        const expect = { ...request.expect, membership: isChange ? request.membership - 1 : actual };
        return ports.log.append({ ...request, expect, membership: isChange ? request.membership : actual });
      },
      writeLists: (writes) => ports.log.writeLists(writes),
    };
    return {
      ...ports,
      log: mutated,
      groups: {
        commit: (draft) => ports.groups.commit(draft),
        pending: (groupId, changesMax) => ports.groups.pending(groupId, changesMax),
        settle: (groupId, version, seq) => ports.groups.settle(groupId, version, seq),
        intervals: (groupId, userId) => ports.groups.intervals(groupId, userId),
        ofUser: (userId) => ports.groups.ofUser(userId),
        async load(groupId) {
          const group = await ports.groups.load(groupId);
          if (group !== undefined) believed.set(groupId, group.membership);
          return group;
        },
      },
    };
  },
};
