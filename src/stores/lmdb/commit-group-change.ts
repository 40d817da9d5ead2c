import { assert, present } from "../../base/assert.ts";
import type { GroupChangeDraft, GroupChangeOutcome } from "../../core/ports/groups.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Transaction } from "./batch.ts";
import { uuidPairNumberKey } from "./directory-tables.ts";
import {
  changeMessages,
  changes,
  groups,
  intervals,
  memberships,
  pendingChanges,
  readChange,
  toChange,
  toGroup,
  type StoredChange,
  type StoredGroup,
  type StoredMember,
} from "./group-tables.ts";
import { uuidKey, uuidNumberKey, uuidPairKey } from "./keys.ts";

/** Groups.commit, as one operation of a commit. */
export function commitGroupChange(transaction: Transaction, draft: GroupChangeDraft): GroupChangeOutcome {
  const { groupId } = draft;
  const before = transaction.get(groups, uuidKey(groupId));
  if (before === undefined && draft.kind !== "create") return { outcome: "no_such_group" };
  if (before !== undefined) {
    const repeated = transaction.get(changeMessages, uuidPairKey(groupId, draft.messageId));
    if (repeated !== undefined) {
      const change = readChange(transaction, groupId, repeated.version);
      return { outcome: "repeated", group: toGroup(groupId, before), change };
    }
    if (draft.kind === "create") return { outcome: "id_conflict" };
    if (draft.expectedVersion !== before.membership) {
      return { outcome: "version_conflict", group: toGroup(groupId, before) };
    }
  }
  const { group, change } = applyDraft(before, draft);
  writeChange(transaction, groupId, group, change);
  return {
    outcome: "committed",
    group: toGroup(groupId, group),
    change: toChange(groupId, group.membership, change),
  };
}

/** The group after the change, and the change as it is kept. Pure. */
function applyDraft(
  before: StoredGroup | undefined,
  draft: GroupChangeDraft,
): { readonly group: StoredGroup; readonly change: StoredChange } {
  const { groupId: _, expectedVersion: _expected, ...asked } = draft;
  const base = before ?? {
    name: draft.name ?? "",
    creatorId: draft.actorId,
    createdAt: draft.at,
    membership: 0,
    members: [],
  };
  const version = base.membership + 1;
  const joined = joiners(draft, base.members).map((userId) => newMember(draft, userId, version));
  const leaving = leavers(draft);
  const left = base.members.filter(({ userId }) => leaving.has(userId));
  const stayed = base.members.filter(({ userId }) => !leaving.has(userId)).map((member) => withRole(draft, member));
  const members = [...stayed, ...joined];
  assert(members.length <= limits.membersPerGroupMax, "the caller keeps groups within their limit");
  return {
    group: {
      ...base,
      name: draft.kind === "rename" ? (draft.name ?? base.name) : base.name,
      membership: version,
      members,
    },
    change: {
      ...asked,
      seq: 0,
      joined: joined.map(({ userId }) => userId),
      left: left.map(({ userId, joinedVersion }) => ({ userId, joinedVersion })),
    },
  };
}

function joiners(draft: GroupChangeDraft, members: readonly StoredMember[]): readonly Uuid[] {
  if (draft.kind === "create") return [...new Set([draft.actorId, ...draft.userIds])];
  if (draft.kind !== "add") return [];
  const here = new Set(members.map(({ userId }) => userId));
  return [...new Set(draft.userIds)].filter((userId) => !here.has(userId));
}

/** Who leaves is the actor, whether or not the draft names it again. */
function leavers(draft: GroupChangeDraft): ReadonlySet<Uuid> {
  if (draft.kind === "leave") return new Set([draft.actorId]);
  return new Set(draft.kind === "remove" ? draft.userIds : []);
}

function newMember(draft: GroupChangeDraft, userId: Uuid, joinedVersion: number): StoredMember {
  const isCreator = draft.kind === "create" && userId === draft.actorId;
  return { userId, role: isCreator ? "owner" : (draft.role ?? "member"), joinedSeq: 0, joinedVersion };
}

function withRole(draft: GroupChangeDraft, member: StoredMember): StoredMember {
  if (draft.kind !== "role" || !draft.userIds.includes(member.userId)) return member;
  return { ...member, role: present(draft.role, "the role that a role change gives") };
}

function writeChange(transaction: Transaction, groupId: Uuid, group: StoredGroup, change: StoredChange): void {
  const version = group.membership;
  transaction.put(groups, uuidKey(groupId), group);
  transaction.put(changes, uuidNumberKey(groupId, version), change);
  transaction.put(pendingChanges, uuidNumberKey(groupId, version), true);
  transaction.put(changeMessages, uuidPairKey(groupId, change.messageId), { version });
  for (const userId of change.joined) {
    transaction.put(memberships, uuidPairKey(userId, groupId), true);
    transaction.put(intervals, uuidPairNumberKey(groupId, userId, version), { joinedSeq: 0, leftSeq: 0 });
  }
  for (const { userId } of change.left) transaction.remove(memberships, uuidPairKey(userId, groupId));
}
