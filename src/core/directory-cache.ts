import type { Clock } from "../base/clock.ts";
import type { Uuid } from "../protocol/ids.ts";
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
 * it builds on; `ttlMs` bounds how long a *reader* may see an old member list when notices are lost (Infinity where this
 * process is the only writer). At most entriesMax groups: the one that came first goes first.
 */
export class DirectoryCache {
  readonly #views = new Map<Uuid, GroupView>();
  readonly #clock: Clock;
  readonly #ttlMs: number;

  static readonly entriesMax = 10_000;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  group(groupId: Uuid): GroupView | undefined {
    const view = this.#views.get(groupId);
    if (view === undefined) return undefined;
    if (this.#ttlMs !== Infinity && this.#clock.monotonicMs() - view.readAt > this.#ttlMs) {
      this.#views.delete(groupId);
      return undefined;
    }
    return view;
  }

  put(view: GroupView): void {
    if (this.#views.size >= DirectoryCache.entriesMax) {
      for (const oldest of this.#views.keys()) {
        this.#views.delete(oldest);
        break;
      }
    }
    this.#views.set(view.group.groupId, view);
  }

  forgetGroup(groupId: Uuid): void {
    this.#views.delete(groupId);
  }

  hear(notice: Notice): void {
    if (notice.notice === "group_changed") this.forgetGroup(notice.groupId);
  }
}
