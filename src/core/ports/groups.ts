import type { Uuid } from "../../protocol/ids.ts";
import type { Group, GroupChange, MemberInterval } from "../model.ts";

export type GroupChangeOutcome =
  | { readonly outcome: "committed"; readonly group: Group; readonly change: GroupChange }
  /** The same messageId was committed before: what it made then. */
  | { readonly outcome: "repeated"; readonly group: Group; readonly change: GroupChange }
  | { readonly outcome: "version_conflict"; readonly group: Group }
  /** create: the id belongs to a group made by another message. */
  | { readonly outcome: "id_conflict" }
  | { readonly outcome: "no_such_group" };

/** What the caller asks for; the store gives it its version. */
export type GroupChangeDraft = Omit<GroupChange, "version" | "seq"> & {
  /** The version this change builds on: the store commits only if it still holds. 0 for create. */
  readonly expectedVersion: number;
};

/**
 * Groups: members, versions, changes and reading intervals. The truth about membership; the log follows it.
 * Who may change what was checked by the caller against the version it expects.
 * Errors: WireError `store_unavailable`, `storage_full`.
 */
export interface Groups {
  /**
   * One transaction: members, membership version and the change row with seq 0. Added members get an interval without
   * joinedSeq (0), removed ones keep theirs open until `settle`. Adding a member twice or removing a stranger changes
   * nothing but the version.
   */
  commit(draft: GroupChangeDraft): Promise<GroupChangeOutcome>;

  /** The group with its current members, or undefined. */
  load(groupId: Uuid): Promise<Group | undefined>;

  /** Changes whose seq is still 0, ascending version. Of one group, or of every group (start-up; at most `changesMax`). */
  pending(groupId: Uuid | undefined, changesMax: number): Promise<readonly GroupChange[]>;

  /**
   * The system row of the change is in the log at `seq`: fills it in, opens the intervals of those who were added
   * (joinedSeq = seq; the joiner reads its own arrival) and closes those of the removed (leftSeq = seq + 1: they read
   * their own removal). Idempotent.
   */
  settle(groupId: Uuid, version: number, seq: number): Promise<void>;

  /** Reading intervals of one user, or of everyone who ever was a member; ascending joinedSeq. Unsettled joins have joinedSeq 0. */
  intervals(groupId: Uuid, userId: Uuid | undefined): Promise<readonly MemberInterval[]>;

  /** Groups the user is a member of now. */
  ofUser(userId: Uuid): Promise<readonly Uuid[]>;
}
