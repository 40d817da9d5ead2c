import type { Core, CorePorts } from "./api.ts";
import { Belief } from "./belief.ts";
import { createDelivery } from "./delivery/create-delivery.ts";
import { Lanes } from "./delivery/lanes.ts";
import { LargeGroups } from "./fan-out/large-groups.ts";
import { createGroups } from "./groups/create-groups.ts";
import { createGroupNames } from "./groups/group-names.ts";
import { recoverGroups } from "./groups/recover-groups.ts";
import { KnownRows } from "./lists/known-rows.ts";
import { createMemberIntervals } from "./membership/member-intervals.ts";
import { createKnownUsers } from "./people/known-users.ts";
import { createPeople } from "./people/create-people.ts";
import type { Bus, Notice } from "./ports/bus.ts";
import { createReading } from "./reading/create-reading.ts";
import { createReceipts } from "./receipts/create-receipts.ts";
import { createGroupStatus } from "./receipts/group-status.ts";

export interface CoreOptions {
  /**
   * How long blocks, settings and memberships may be used without a word from the bus, ms. Absent where this process is
   * the only writer: then nothing it does not hear of can change. With several processes at most 1,000; while the bus proves
   * that nothing announced was missed, up to a minute (belief.ts).
   */
  readonly cacheTtlMs?: number;
  /** Conversations whose end is kept in memory; absent = Lanes.lanesMax. */
  readonly lanesMax?: number;
}

/**
 * The whole core on the given stores. What it keeps in memory are caches and work under way: any number of cores may run
 * on the same stores, and each may vanish at any time.
 */
export function createCore(ports: CorePorts, options: CoreOptions): Core {
  const cacheTtlMs = options.cacheTtlMs ?? Number.POSITIVE_INFINITY;
  const belief = new Belief(ports, cacheTtlMs);
  const intervals = createMemberIntervals(ports.groups, belief);
  const knownUsers = createKnownUsers(ports.users, belief);
  const hear = (notice: Notice): void => {
    lanes.hear(notice);
    if (notice.notice === "settings_changed") knownUsers.forget(notice.userId);
    if (notice.notice !== "group_changed") return;
    intervals.forget(notice.groupId);
    largeGroups.forget(notice.groupId);
  };
  // The own caches drop what an operation changed before it answers, however long the bus takes to come round.
  const bus: Bus = {
    deliver: (delivery) => ports.bus.deliver(delivery),
    announce: (notice) => {
      hear(notice);
      return ports.bus.announce(notice);
    },
    hearing: () => ports.bus.hearing(),
    subscribe: (receiver) => ports.bus.subscribe(receiver),
  };
  const groupStatus = createGroupStatus({ ...ports, bus, intervals });
  const known = new KnownRows();
  const wired = { ...ports, bus, users: knownUsers.users, intervals, groupStatus, known };
  const { lanesMax } = options;
  const lanes = new Lanes(wired, { groupStatus, known }, lanesMax === undefined ? { belief } : { belief, lanesMax });
  const { directory, fanOut } = lanes.context;
  const largeGroups = new LargeGroups(ports.groups, directory, ports.clock);
  const groupName = createGroupNames(ports.groups, directory);
  return {
    delivery: createDelivery(lanes),
    receipts: createReceipts(wired),
    reading: createReading({ ...wired, groupName, largeGroups, fanOut }),
    groups: createGroups(lanes, ports.random),
    people: createPeople({ ...ports, announce: (notice) => bus.announce(notice) }),
    hear,
    heardMessage: (conversationId, seq) => {
      known.heard(conversationId, seq);
      lanes.heardMessage(conversationId, seq);
    },
    recover: () => recoverGroups(lanes),
  };
}
