import { present } from "../../base/assert.ts";
import type { Group, GroupChange, GroupMember } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { flagTable } from "./directory-tables.ts";
import { uuidKey, uuidNumberKey } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import type { Reader } from "./snapshot.ts";

/**
 * How groups lie in LMDB. The members stand in the group's own row, so that a group is one read and a change never has
 * to search: what a transaction touches it finds by key, however many other changes are in the same commit.
 */
export interface StoredMember extends GroupMember {
  /** Version of the change that made the current interval, and so its key. */
  readonly joinedVersion: number;
}

export interface StoredGroup extends Omit<Group, "groupId" | "members"> {
  readonly members: readonly StoredMember[];
}

export interface StoredInterval {
  readonly joinedSeq: number;
  readonly leftSeq: number;
}

export interface StoredChange extends Omit<GroupChange, "groupId" | "version"> {
  /** Who really joined by it. */
  readonly joined: readonly Uuid[];
  /** Who really left by it, with the version of the join that it ends. */
  readonly left: readonly { readonly userId: Uuid; readonly joinedVersion: number }[];
}

/** group */
export const groups = packedTable<StoredGroup>("groups");
/** user, group: what each user is a member of now. */
export const memberships = flagTable("user_groups");
/** group, user, version of the join */
export const intervals = packedTable<StoredInterval>("member_intervals");
/** group, version */
export const changes = packedTable<StoredChange>("group_changes");
/** group, version: changes whose seq is not known. */
export const pendingChanges = flagTable("group_changes_pending");
/** group, message → version */
export const changeMessages = packedTable<{ readonly version: number }>("group_change_messages");

export function readGroup(reader: Reader, groupId: Uuid): Group | undefined {
  const stored = reader.get(groups, uuidKey(groupId));
  return stored && toGroup(groupId, stored);
}

/** A change that is known to be there. */
export function readChange(reader: Reader, groupId: Uuid, version: number): GroupChange {
  const stored = reader.get(changes, uuidNumberKey(groupId, version));
  return toChange(groupId, version, present(stored, "a change that another table names"));
}

export function toGroup(groupId: Uuid, stored: StoredGroup): Group {
  const members = stored.members.map(({ userId, role, joinedSeq }) => ({ userId, role, joinedSeq }));
  return { ...stored, groupId, members };
}

export function toChange(groupId: Uuid, version: number, stored: StoredChange): GroupChange {
  const { joined: _joined, left: _left, ...change } = stored;
  return { groupId, version, ...change };
}
