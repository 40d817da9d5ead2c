import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { GroupRequest } from "../api.ts";
import type { GroupView } from "../directory-cache.ts";
import type { GroupMember, GroupRole } from "../model.ts";

type Right = Exclude<GroupRequest["kind"], "create">;

/**
 * Who may do what in a group.
 *
 * |        | rename | add | remove             | leave | role |
 * | owner  | yes    | yes | anyone else        | yes   | yes  |
 * | admin  | yes    | yes | plain members only | yes   | no   |
 * | member | no     | no  | no                 | yes   | no   |
 *
 * A group with members always has an owner: the last one may not step down by `role`, and when it leaves, ownership
 * passes on (see heirOf). When the last member leaves, an empty group stays behind, which nobody can enter any more.
 */
const rights: Readonly<Record<GroupRole, ReadonlySet<Right>>> = {
  owner: new Set<Right>(["rename", "add", "remove", "leave", "role"]),
  admin: new Set<Right>(["rename", "add", "remove", "leave"]),
  member: new Set<Right>(["leave"]),
};

/** Throws `not_a_member` or `forbidden`, with the reason. `request.userIds` name members, except for `add`. */
export function authorise(view: GroupView, userId: Uuid, request: Exclude<GroupRequest, { kind: "create" }>): void {
  const actor = view.members.get(userId);
  if (actor === undefined) throw new WireError("not_a_member");
  if (!rights[actor.role].has(request.kind)) forbid(`a role of ${actor.role} may not ${request.kind}`);
  if (request.kind === "remove") authoriseRemoval(view, actor, request.userIds);
  if (request.kind === "role") keepAnOwner(view, request.userIds, request.role);
}

function authoriseRemoval(view: GroupView, actor: GroupMember, userIds: readonly Uuid[]): void {
  for (const userId of userIds) {
    if (userId === actor.userId) forbid("leave the group instead of removing yourself");
    const role = view.members.get(userId)?.role;
    if (actor.role !== "owner" && role !== "member" && role !== undefined) forbid(`an admin may not remove an ${role}`);
  }
}

function keepAnOwner(view: GroupView, userIds: readonly Uuid[], role: GroupRole): void {
  if (role === "owner") return;
  if (!view.group.members.some((member) => member.role === "owner" && !userIds.includes(member.userId))) {
    forbid("a group keeps an owner: name another one first");
  }
}

function forbid(detail: string): never {
  throw new WireError("forbidden", { detail });
}

/**
 * Who becomes owner when `userId` leaves: nobody while another owner stays, else the admin who has been in the group for
 * longest, else the member; of those who came together the one with the lowest id, whose account is the oldest.
 */
export function heirOf(view: GroupView, userId: Uuid): Uuid | undefined {
  const others = view.group.members.filter((member) => member.userId !== userId);
  if (view.members.get(userId)?.role !== "owner" || others.some((member) => member.role === "owner")) return undefined;
  const admins = others.filter((member) => member.role === "admin");
  return (admins.length > 0 ? admins : others).toSorted(bySeniority)[0]?.userId;
}

function bySeniority(one: GroupMember, other: GroupMember): number {
  if (one.joinedSeq !== other.joinedSeq) return one.joinedSeq - other.joinedSeq;
  return one.userId < other.userId ? -1 : 1;
}
