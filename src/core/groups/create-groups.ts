import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, CorePorts, GroupsApi } from "../api.ts";
import type { Lanes } from "../delivery/lanes.ts";
import type { Group } from "../model.ts";
import { changeGroup, checkOrder, type ChangeOrder } from "./change-group.ts";
import { finishChanges } from "./finish-changes.ts";

/** Groups: changes run in the lane of their conversation, in line with its messages. */
export function createGroups(lanes: Lanes, random: CorePorts["random"]): GroupsApi {
  const { context } = lanes;
  const changeContext = { ...context, ports: { ...context.ports, random } };
  return {
    async change(caller, groupId, messageId, expectedVersion, request) {
      const order: ChangeOrder = { caller, groupId, messageId, expectedVersion, request };
      checkOrder(order);
      return lanes.enter(groupId, (lane) => changeGroup(changeContext, lane, order));
    },
    get: (caller, groupId) => getGroup(lanes, caller, groupId),
    ofUser: (caller) => context.ports.groups.ofUser(caller.userId),
  };
}

/** What is cached is enough for a member; whoever is not in it may have come since. */
async function getGroup(lanes: Lanes, caller: Caller, groupId: Uuid): Promise<Group> {
  const cached = lanes.context.directory.group(groupId);
  if (cached?.members.has(caller.userId) === true) return cached.group;
  const view = await lanes.enter(groupId, (lane) => finishChanges(lanes.context, lane));
  if (view === undefined) throw new WireError("no_such_conversation");
  if (!view.members.has(caller.userId)) throw new WireError("not_a_member");
  return view.group;
}
