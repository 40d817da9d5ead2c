import { assert, unreachable } from "../../base/assert.ts";
import { isUuidV7, createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, CorePorts, GroupRequest } from "../api.ts";
import type { LaneContext } from "../delivery/lane-context.ts";
import type { Lane } from "../delivery/lane.ts";
import { loadEnd } from "../delivery/log-end.ts";
import { isLarge } from "../fan-out/chunks.ts";
import type { GroupView } from "../directory-cache.ts";
import type { Group } from "../model.ts";
import type { GroupChangeDraft } from "../ports/groups.ts";
import { admitGroup, admitMembers, checkGroupSize } from "./admit-members.ts";
import { finishChanges } from "./finish-changes.ts";
import { authorise, heirOf } from "./roles.ts";

export interface ChangeOrder {
  readonly caller: Caller;
  readonly groupId: Uuid;
  readonly messageId: Uuid;
  readonly expectedVersion: number;
  readonly request: GroupRequest;
}

type Ports = LaneContext["ports"] & Pick<CorePorts, "random">;
/** What of a change the request decides. */
type Wish = Pick<GroupChangeDraft, "kind" | "userIds" | "role" | "name">;

/** What the request alone can get wrong. Throws `bad_request`, `too_many_members`. */
export function checkOrder(order: ChangeOrder): void {
  const { groupId, messageId, expectedVersion, request } = order;
  // Only a UUIDv7: else a client could claim the id of somebody's direct chat or inbox.
  if (!isUuidV7(groupId)) refuse("group_id: not a lower-case UUIDv7");
  if (!isUuidV7(messageId)) refuse("message_id: not a lower-case UUIDv7");
  if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0) refuse("expected version: not a version");
  if (request.kind === "create" || request.kind === "rename") {
    const length = request.name.trim().length;
    if (length === 0 || request.name.length > limits.groupNameLengthMax) refuse("name: empty or too long");
  }
  if ("userIds" in request) {
    if (request.userIds.length > limits.membersPerGroupMax) throw new WireError("too_many_members");
    if (request.userIds.length === 0 && request.kind !== "create") refuse("user_ids: empty");
  }
}

/**
 * One change, inside the lane of its group. Everything that is open from before is finished first, so that the request is
 * judged by a settled group; then the truth is committed and the log follows (finish-changes.ts). A repeat is recognised
 * by the store before anybody's rights are asked: the one who left may hear again that it worked.
 */
export async function changeGroup(
  context: LaneContext & { readonly ports: Ports },
  lane: Lane,
  order: ChangeOrder,
): Promise<Group> {
  if (order.request.kind === "create") return createGroup(context, lane, order);
  const view = await finishChanges(context, lane);
  if (view === undefined) throw new WireError("no_such_conversation");
  const version = view.group.membership;
  if (version !== order.expectedVersion) return repeated(context, order, view);
  authorise(view, order.caller.userId, order.request);
  const wish = await effectOf(context, order, view);
  if (wish === undefined) return view.group;
  await checkQueue(context, view.userIds.length + (wish.kind === "add" ? wish.userIds.length : 0));
  const heirId = wish.kind === "leave" ? heirOf(view, order.caller.userId) : undefined;
  if (heirId === undefined) return commit(context, lane, order, wish, version);
  // Two changes, the safe one first: whoever dies in between leaves a group with two owners, not with none.
  const { clock, random } = context.ports;
  const messageId = createUuidV7(clock.nowMs(), random);
  await commit(context, lane, { ...order, messageId }, { kind: "role", userIds: [heirId], role: "owner" }, version);
  return commit(context, lane, order, wish, version + 1);
}

async function createGroup(
  context: LaneContext & { readonly ports: Ports },
  lane: Lane,
  order: ChangeOrder,
): Promise<Group> {
  const { caller, request } = order;
  assert(request.kind === "create", "a request to create");
  const existing = await finishChanges(context, lane);
  if (existing !== undefined) {
    // The group id is the identity of the request: whoever made the group may ask for it again, with any message id.
    if (existing.group.creatorId !== caller.userId) throw new WireError("id_conflict");
    return existing.members.has(caller.userId) ? existing.group : repeated(context, order, existing);
  }
  if (order.expectedVersion !== 0) throw new WireError("no_such_conversation");
  const userIds = [...new Set(request.userIds)].filter((userId) => userId !== caller.userId);
  checkGroupSize(userIds.length + 1, context.fanOut.membersMax);
  await admitGroup(context.ports, caller.userId);
  await admitMembers(context.ports, caller.userId, userIds);
  await checkQueue(context, userIds.length + 1);
  return commit(context, lane, order, { kind: "create", userIds, name: request.name.trim() }, 0);
}

/** What the request changes in this group; undefined: nothing, which is no change at all. */
async function effectOf(
  context: LaneContext & { readonly ports: Ports },
  order: ChangeOrder,
  view: GroupView,
): Promise<Wish | undefined> {
  const { request, caller } = order;
  switch (request.kind) {
    case "create":
      return undefined;
    case "rename": {
      const name = request.name.trim();
      return name === view.group.name ? undefined : { kind: "rename", userIds: [], name };
    }
    case "leave":
      return { kind: "leave", userIds: [caller.userId] };
    case "add": {
      const userIds = [...new Set(request.userIds)].filter((userId) => !view.members.has(userId));
      if (userIds.length === 0) return undefined;
      checkGroupSize(view.userIds.length + userIds.length, context.fanOut.membersMax);
      await admitMembers(context.ports, caller.userId, userIds);
      return { kind: "add", userIds };
    }
    case "remove": {
      const userIds = [...new Set(request.userIds)].filter((userId) => view.members.has(userId));
      return userIds.length === 0 ? undefined : { kind: "remove", userIds };
    }
    case "role": {
      const { role } = request;
      const stranger = request.userIds.find((userId) => !view.members.has(userId));
      if (stranger !== undefined) throw new WireError("not_a_member", { detail: `${stranger} is not a member.` });
      const userIds = [...new Set(request.userIds)].filter((userId) => view.members.get(userId)?.role !== role);
      return userIds.length === 0 ? undefined : { kind: "role", userIds, role };
    }
    default:
      return unreachable(request);
  }
}

/** A change that a large group will not be told of is not begun. Rejects as FanOutQueue.ready. */
async function checkQueue(context: LaneContext, members: number): Promise<void> {
  if (isLarge(members)) await context.fanOut.ready();
}

async function commit(
  context: LaneContext,
  lane: Lane,
  order: ChangeOrder,
  wish: Wish,
  expectedVersion: number,
): Promise<Group> {
  const { groups, clock } = context.ports;
  const { groupId, messageId, caller } = order;
  // Where the search for the system row starts: it is not in the log yet.
  if (!lane.known) await loadEnd(context, lane, "latest");
  const { head: since } = lane.end;
  const actor = { actorId: caller.userId, actorDevice: caller.device, at: clock.nowMs() };
  const outcome = await maybeDone(groups.commit({ ...wish, ...actor, groupId, messageId, since, expectedVersion }));
  switch (outcome.outcome) {
    case "committed":
    case "repeated":
      return finished(context, lane, outcome.group);
    case "version_conflict":
      throw new WireError("version_conflict");
    case "id_conflict":
      throw new WireError("id_conflict");
    case "no_such_group":
      throw new WireError("no_such_conversation");
  }
}

/** From here on the change may be a fact: what fails now is finished by whoever comes next, and a repeat says so. */
async function finished(context: LaneContext, lane: Lane, group: Group): Promise<Group> {
  return (await maybeDone(finishChanges(context, lane)))?.group ?? group;
}

async function maybeDone<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    throw new WireError("store_unavailable", { undecided: true, cause });
  }
}

/**
 * The group is at another version than expected, so this request either was done before or comes too late. The store
 * tells, and commits nothing: versions only grow, so the expected one cannot come back.
 */
async function repeated(context: LaneContext, order: ChangeOrder, view: GroupView): Promise<Group> {
  const { caller, groupId, messageId, expectedVersion } = order;
  const stranger = !view.members.has(caller.userId);
  if (expectedVersion > view.group.membership) throw new WireError(stranger ? "not_a_member" : "version_conflict");
  const outcome = await context.ports.groups.commit({
    kind: "rename",
    userIds: [],
    name: view.group.name,
    groupId,
    messageId,
    since: 0,
    actorId: caller.userId,
    actorDevice: caller.device,
    at: context.ports.clock.nowMs(),
    expectedVersion,
  });
  if (outcome.outcome === "repeated") {
    if (outcome.change.actorId !== caller.userId) throw new WireError("id_conflict");
    // Whoever settled it may have died before it told anybody.
    void context.ports.bus.announce({ notice: "group_changed", groupId, version: view.group.membership });
    return view.group;
  }
  assert(outcome.outcome !== "committed", "a version that has passed does not come back");
  throw new WireError(stranger ? "not_a_member" : "version_conflict");
}

function refuse(detail: string): never {
  throw new WireError("bad_request", { detail });
}
