import { isUuidV7, type Uuid } from "../../protocol/ids.ts";
import type { Belief } from "../belief.ts";
import type { MemberInterval } from "../model.ts";
import type { Groups } from "../ports/groups.ts";

/**
 * What a user may read of a conversation, from the only source that is allowed to say so: the groups port. A list row
 * carries the same interval but follows it, and a crash in between must not let a removed member read on.
 *
 * Entries are dropped when a notice about the group arrives, when they are believed no more (a bus may fall silent), and, the
 * longest unused first, at the bound. A load that began before a notice is never kept, nor is a join that is not settled yet.
 */
export interface MemberIntervals {
  /** Direct chats: both may read everything. `fresh`: not from memory. Unsettled joins (joinedSeq 0) read nothing. */
  of(conversationId: Uuid, userId: Uuid, fresh: boolean): Promise<readonly MemberInterval[]>;
  forget(groupId: Uuid): void;
}

interface Entry {
  readonly groupId: Uuid;
  readonly loadedAtMs: number;
  readonly intervals: Promise<readonly MemberInterval[]>;
}

const entriesMax = 100_000;

export function createMemberIntervals(groups: Groups, belief: Belief): MemberIntervals {
  const entries = new Map<string, Entry>();
  const keysOfGroup = new Map<Uuid, Set<string>>();

  const drop = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    const keys = keysOfGroup.get(entry.groupId);
    keys?.delete(key);
    if (keys?.size === 0) keysOfGroup.delete(entry.groupId);
  };

  const load = (groupId: Uuid, userId: Uuid, key: string): Promise<readonly MemberInterval[]> => {
    const entry: Entry = {
      groupId,
      loadedAtMs: belief.nowMs(),
      intervals: groups.intervals(groupId, userId),
    };
    drop(key);
    entries.set(key, entry);
    const keys = keysOfGroup.get(groupId);
    if (keys === undefined) keysOfGroup.set(groupId, new Set([key]));
    else keys.add(key);
    if (entries.size > entriesMax) drop(entries.keys().next().value as string);
    const dropUnless = (keep: boolean): void => {
      if (!keep && entries.get(key) === entry) drop(key);
    };
    entry.intervals.then(
      (list) => dropUnless(isSettled(list)),
      () => dropUnless(false),
    );
    return entry.intervals;
  };

  return {
    of(conversationId, userId, fresh) {
      if (!isGroupId(conversationId)) return directIntervals(userId);
      const key = conversationId + userId;
      const entry = entries.get(key);
      if (fresh || entry === undefined || !belief.holds(entry.loadedAtMs)) {
        return load(conversationId, userId, key);
      }
      // Re-inserted, so that the first key of the map is the one unused for the longest time.
      entries.delete(key);
      entries.set(key, entry);
      return entry.intervals;
    },
    forget(groupId) {
      const keys = keysOfGroup.get(groupId);
      if (keys !== undefined) for (const key of keys) drop(key);
    },
  };
}

/** A membership that is still to come is asked for again each time: it may be in the log any moment. */
function isSettled(intervals: readonly MemberInterval[]): boolean {
  return intervals.length > 0 && intervals.every((interval) => interval.joinedSeq > 0);
}

/** Group ids are UUIDv7, made by clients; direct ones are hashes shaped as UUIDv8. */
export function isGroupId(conversationId: Uuid): boolean {
  return isUuidV7(conversationId);
}

function directIntervals(userId: Uuid): Promise<readonly MemberInterval[]> {
  return Promise.resolve([{ userId, joinedSeq: 1, leftSeq: 0 }]);
}
