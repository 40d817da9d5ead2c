import type { Caller, CorePorts, DeliveryApi, GroupsApi, MessageDraft } from "../../../src/core/api.ts";
import { Belief } from "../../../src/core/belief.ts";
import { createDelivery } from "../../../src/core/delivery/create-delivery.ts";
import { Lanes } from "../../../src/core/delivery/lanes.ts";
import { createGroups } from "../../../src/core/groups/create-groups.ts";
import { KnownRows } from "../../../src/core/lists/known-rows.ts";
import { createMemberIntervals } from "../../../src/core/membership/member-intervals.ts";
import { createGroupStatus } from "../../../src/core/receipts/group-status.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { kinds } from "../../../src/protocol/kinds.ts";
import type { MemoryWorld } from "./core-ports.ts";

/** Delivery and groups of one server process on a world. */
export interface DeliveryCore {
  readonly ports: CorePorts;
  readonly lanes: Lanes;
  readonly delivery: DeliveryApi;
  readonly groups: GroupsApi;
}

export function createDeliveryCore(
  world: MemoryWorld,
  options: { readonly cacheTtlMs?: number; readonly deaf?: boolean; readonly ports?: CorePorts } = {},
): DeliveryCore {
  const ports = options.ports ?? world.ports();
  const deafened = { hearing: () => ({ sinceMs: Infinity, toMs: -Infinity }) };
  const heard = options.deaf === true ? deafened : ports.bus;
  const belief = new Belief({ bus: heard, clock: ports.clock }, options.cacheTtlMs ?? Infinity);
  const intervals = createMemberIntervals(ports.groups, new Belief(ports, Infinity));
  const groupStatus = createGroupStatus({ ...ports, intervals });
  const shared = { groupStatus, known: new KnownRows() };
  const lanes = new Lanes(ports, shared, { belief });
  if (options.deaf !== true) {
    ports.bus.subscribe({
      deliver({ frame }) {
        if (frame.type === "NEW_MESSAGE") lanes.heardMessage(frame.conversation_id, frame.seq);
      },
      notice: (notice) => lanes.hear(notice),
    });
  }
  return { ports, lanes, delivery: createDelivery(lanes), groups: createGroups(lanes, world.random) };
}

export function caller(userId: Uuid, device = 1): Caller {
  return { userId, device };
}

const encoder = new TextEncoder();

/** A text, new unless `messageId` says otherwise. */
export function textDraft(
  world: MemoryWorld,
  to: MessageDraft["to"],
  since: number,
  more: Partial<MessageDraft> = {},
): MessageDraft {
  return { to, messageId: world.id(), since, kind: kinds.text, envelope: encoder.encode("hello"), ...more };
}
