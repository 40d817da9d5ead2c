import type { Uuid } from "../protocol/ids.ts";
import type { Belief } from "./belief.ts";
import type { Group, GroupMember } from "./model.ts";
import type { Notice } from "./ports/bus.ts";

/** A group as sends need it. All of its changes are settled: every member's joinedSeq is known. */
export interface GroupView {
  readonly group: Group;
  readonly userIds: readonly Uuid[];
  readonly members: ReadonlyMap<Uuid, GroupMember>;
  /** Ticket counter when the read began: sends with lower tickets are judged by this view for good. */
  readonly ticket: number;
  /** Monotonic ms when the read began. */
  readonly readAt: number;
}

export function createGroupView(group: Group, ticket: number, readAt: number): GroupView {
  return {
    group,
    userIds: group.members.map((member) => member.userId),
    members: new Map(group.members.map((member) => [member.userId, member])),
    ticket,
    readAt,
  };
}

/**
 * Groups that this process has seen settled. A stale entry is harmless to the log, since every append states the version
 * it builds on; `belief` bounds for how long a *reader* may see an old member list. A view whose reading began before the
 * last notice of its group is not kept. At most entriesMax groups, and as many notices: what came first goes first.
 */
export class DirectoryCache {
  readonly #views = new Map<Uuid, GroupView>();
  /** When the last notice of a group came, monotonic ms. */
  readonly #heardAt = new Map<Uuid, number>();
  /** When the last notice came of a group that is not in #heardAt any more. */
  #heardBefore = Number.NEGATIVE_INFINITY;
  readonly #belief: Belief;

  static readonly entriesMax = 10_000;

  constructor(belief: Belief) {
    this.#belief = belief;
  }

  group(groupId: Uuid): GroupView | undefined {
    const view = this.#views.get(groupId);
    if (view === undefined) return undefined;
    if (!this.#belief.holds(view.readAt)) {
      this.#views.delete(groupId);
      return undefined;
    }
    return view;
  }

  put(view: GroupView): void {
    const { groupId } = view.group;
    if (view.readAt < (this.#heardAt.get(groupId) ?? this.#heardBefore)) return;
    if (this.#views.size >= DirectoryCache.entriesMax) {
      for (const oldest of this.#views.keys()) {
        this.#views.delete(oldest);
        break;
      }
    }
    this.#views.set(groupId, view);
  }

  forgetGroup(groupId: Uuid): void {
    this.#views.delete(groupId);
  }

  hear(notice: Notice): void {
    if (notice.notice !== "group_changed") return;
    this.forgetGroup(notice.groupId);
    this.#heardAt.delete(notice.groupId);
    this.#heardAt.set(notice.groupId, this.#belief.nowMs());
    if (this.#heardAt.size <= DirectoryCache.entriesMax) return;
    for (const [oldest, heardAt] of this.#heardAt) {
      this.#heardBefore = heardAt;
      this.#heardAt.delete(oldest);
      break;
    }
  }
}
