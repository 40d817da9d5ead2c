import { present } from "../../../src/base/assert.ts";
import type { Group, GroupChange, GroupMember, GroupRole, MemberInterval } from "../../../src/core/model.ts";
import type { GroupChangeDraft, GroupChangeOutcome, Groups } from "../../../src/core/ports/groups.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

/** An interval knows the versions that open and close it, so that any number of unsettled changes may stand in line. */
interface Interval {
  readonly userId: Uuid;
  readonly joinVersion: number;
  leaveVersion: number;
  joinedSeq: number;
  leftSeq: number;
}

interface Stored {
  readonly groupId: Uuid;
  readonly creatorId: Uuid;
  readonly createdAt: number;
  name: string;
  membership: number;
  readonly roles: Map<Uuid, GroupRole>;
  readonly intervals: Interval[];
  readonly changes: GroupChange[];
}

export class MemoryGroups implements Groups {
  weather: Weather;
  readonly #groups = new Map<Uuid, Stored>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  commit(draft: GroupChangeDraft): Promise<GroupChangeOutcome> {
    return under(this.weather, "groups.commit", () => this.#commit(draft));
  }

  load(groupId: Uuid): Promise<Group | undefined> {
    return under(this.weather, "groups.load", () => {
      const stored = this.#groups.get(groupId);
      return stored === undefined ? undefined : toGroup(stored);
    });
  }

  pending(groupId: Uuid | undefined, changesMax: number): Promise<readonly GroupChange[]> {
    return under(this.weather, "groups.pending", () => {
      const stored = groupId === undefined ? [...this.#groups.values()] : [this.#groups.get(groupId)];
      return stored.flatMap((group) => group?.changes.filter((change) => change.seq === 0) ?? []).slice(0, changesMax);
    });
  }

  settle(groupId: Uuid, version: number, seq: number): Promise<void> {
    return under(this.weather, "groups.settle", () => {
      const stored = this.#groups.get(groupId);
      const change = stored?.changes[version - 1];
      if (stored === undefined || change === undefined || change.seq !== 0) return;
      stored.changes[version - 1] = { ...change, seq };
      for (const interval of stored.intervals) {
        if (interval.joinVersion === version) interval.joinedSeq = seq;
        if (interval.leaveVersion === version) interval.leftSeq = seq + 1;
      }
    });
  }

  intervals(groupId: Uuid, userId: Uuid | undefined): Promise<readonly MemberInterval[]> {
    return under(this.weather, "groups.intervals", () =>
      this.intervalsOf(groupId).filter((interval) => userId === undefined || interval.userId === userId),
    );
  }

  ofUser(userId: Uuid): Promise<readonly Uuid[]> {
    return under(this.weather, "groups.ofUser", () =>
      [...this.#groups.values()].filter((group) => group.roles.has(userId)).map((group) => group.groupId),
    );
  }

  /** At once and without weather: for checkers. */
  intervalsOf(groupId: Uuid): MemberInterval[] {
    return (this.#groups.get(groupId)?.intervals ?? [])
      .map(({ userId, joinedSeq, leftSeq }) => ({ userId, joinedSeq, leftSeq }))
      .sort((one, other) => one.joinedSeq - other.joinedSeq);
  }

  /** At once and without weather: for checkers. */
  groupOf(groupId: Uuid): Group | undefined {
    const stored = this.#groups.get(groupId);
    return stored === undefined ? undefined : toGroup(stored);
  }

  /** Every change ever committed, ascending version: for checkers. */
  changesOf(groupId: Uuid): readonly GroupChange[] {
    return this.#groups.get(groupId)?.changes ?? [];
  }

  #commit(draft: GroupChangeDraft): GroupChangeOutcome {
    const stored = this.#groups.get(draft.groupId);
    const earlier = stored?.changes.find((change) => change.messageId === draft.messageId);
    if (stored !== undefined && earlier !== undefined) {
      return { outcome: "repeated", group: toGroup(stored), change: earlier };
    }
    if (draft.kind === "create") return stored === undefined ? this.#create(draft) : { outcome: "id_conflict" };
    if (stored === undefined) return { outcome: "no_such_group" };
    if (stored.membership !== draft.expectedVersion) return { outcome: "version_conflict", group: toGroup(stored) };
    return this.#committed(stored, draft);
  }

  #create(draft: GroupChangeDraft): GroupChangeOutcome {
    const stored: Stored = {
      groupId: draft.groupId,
      creatorId: draft.actorId,
      createdAt: draft.at,
      name: draft.name ?? "",
      membership: 0,
      roles: new Map(),
      intervals: [],
      changes: [],
    };
    this.#groups.set(draft.groupId, stored);
    return this.#committed(stored, draft);
  }

  #committed(stored: Stored, draft: GroupChangeDraft): GroupChangeOutcome {
    const { expectedVersion: _, ...fields } = draft;
    const change: GroupChange = { ...fields, version: stored.membership + 1, seq: 0 };
    stored.membership = change.version;
    stored.changes.push(change);
    applyChange(stored, change);
    return { outcome: "committed", group: toGroup(stored), change };
  }
}

function applyChange(stored: Stored, change: GroupChange): void {
  switch (change.kind) {
    case "create":
      join(stored, change, change.actorId, "owner");
      for (const userId of change.userIds) join(stored, change, userId, "member");
      return;
    case "add":
      for (const userId of change.userIds) join(stored, change, userId, "member");
      return;
    case "remove":
    case "leave":
      for (const userId of change.userIds) leave(stored, change, userId);
      return;
    case "role":
      for (const userId of change.userIds) {
        if (stored.roles.has(userId)) stored.roles.set(userId, change.role ?? "member");
      }
      return;
    case "rename":
      stored.name = change.name ?? stored.name;
  }
}

function join(stored: Stored, change: GroupChange, userId: Uuid, role: GroupRole): void {
  if (stored.roles.has(userId)) return;
  stored.roles.set(userId, role);
  stored.intervals.push({ userId, joinVersion: change.version, leaveVersion: 0, joinedSeq: 0, leftSeq: 0 });
}

function leave(stored: Stored, change: GroupChange, userId: Uuid): void {
  if (!stored.roles.delete(userId)) return;
  const open = stored.intervals.find((interval) => interval.userId === userId && interval.leaveVersion === 0);
  present(open, "open interval of a member").leaveVersion = change.version;
}

function toGroup(stored: Stored): Group {
  const { groupId, name, creatorId, createdAt, membership } = stored;
  const members = [...stored.roles].map(([userId, role]): GroupMember => {
    const open = stored.intervals.find((interval) => interval.userId === userId && interval.leaveVersion === 0);
    return { userId, role, joinedSeq: open?.joinedSeq ?? 0 };
  });
  return { groupId, name, creatorId, createdAt, membership, members };
}
