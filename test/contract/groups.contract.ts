import { describe, expect, test } from "vitest";
import type { GroupChangeDraft, GroupChangeOutcome, Groups } from "../../src/core/ports/groups.ts";
import { limits } from "../../src/protocol/limits.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

const at = 1_700_000_000_000;

function draft(over: Partial<GroupChangeDraft> & Pick<GroupChangeDraft, "groupId" | "kind">): GroupChangeDraft {
  return {
    messageId: newId(),
    since: 0,
    actorId: newId(),
    actorDevice: 1,
    userIds: [],
    at,
    expectedVersion: 0,
    ...over,
  };
}

function created(over: Partial<GroupChangeDraft> = {}): GroupChangeDraft {
  return draft({ groupId: newId(), kind: "create", name: "Friends", ...over });
}

function committed(outcome: GroupChangeOutcome): Extract<GroupChangeOutcome, { outcome: "committed" }> {
  if (outcome.outcome !== "committed") throw new Error(`not committed but ${outcome.outcome}`);
  return outcome;
}

/** Commits and settles, as the core does when nothing goes wrong. */
async function change(store: Groups, seq: number, wanted: GroupChangeDraft): Promise<void> {
  const { change: made } = committed(await store.commit(wanted));
  await store.settle(made.groupId, made.version, seq);
}

export function describeGroups(name: string, makeHarness: MakeDurableHarness<Groups>): void {
  describe(`groups: ${name}`, () => {
    describe("commit", () => {
      commitTests(makeHarness);
    });
    describe("settle and pending", () => {
      settleTests(makeHarness);
    });
    describe("reading intervals", () => {
      intervalTests(makeHarness);
    });
  });
}

function commitTests(makeHarness: MakeDurableHarness<Groups>): void {
  test("a created group has version 1, its creator as owner and the others as members who read nothing yet", async () => {
    await using harness = await makeHarness();
    const [creator, member] = [newId(), newId()];
    const wanted = created({ actorId: creator, userIds: [member] });
    const { group, change: made } = committed(await harness.store.commit(wanted));
    expect(group).toMatchObject({
      groupId: wanted.groupId,
      name: "Friends",
      creatorId: creator,
      createdAt: at,
      membership: 1,
    });
    expect(group.members).toHaveLength(2);
    expect(group.members).toEqual(
      expect.arrayContaining([
        { userId: creator, role: "owner", joinedSeq: 0 },
        { userId: member, role: "member", joinedSeq: 0 },
      ]),
    );
    const { expectedVersion: _, ...rest } = wanted;
    expect(made).toEqual({ ...rest, version: 1, seq: 0 });
    expect(await harness.store.load(wanted.groupId)).toEqual(group);
  });

  test("the creator named among the members is one owner", async () => {
    await using harness = await makeHarness();
    const creator = newId();
    const { group } = committed(await harness.store.commit(created({ actorId: creator, userIds: [creator] })));
    expect(group.members).toEqual([{ userId: creator, role: "owner", joinedSeq: 0 }]);
  });

  test("who does not exist is undefined, has no intervals, no changes and takes no change", async () => {
    await using harness = await makeHarness();
    const groupId = newId();
    expect(await harness.store.load(groupId)).toBeUndefined();
    expect(await harness.store.intervals(groupId, undefined)).toEqual([]);
    expect(await harness.store.pending(groupId, 10)).toEqual([]);
    expect(await harness.store.ofUser(newId())).toEqual([]);
    const outcome = await harness.store.commit(draft({ groupId, kind: "rename", name: "x", expectedVersion: 1 }));
    expect(outcome).toEqual({ outcome: "no_such_group" });
  });

  test("creating again with the same message is the same group; with another message the id is taken", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const first = committed(await harness.store.commit(wanted));
    expect(await harness.store.commit(wanted)).toEqual({ ...first, outcome: "repeated" });
    expect(await harness.store.commit({ ...wanted, messageId: newId() })).toEqual({ outcome: "id_conflict" });
    expect(await harness.store.load(wanted.groupId)).toEqual(first.group);
  });

  test("each change makes the next version: add, role, rename, remove, leave", async () => {
    await using harness = await makeHarness();
    const [creator, one, two] = [newId(), newId(), newId()];
    const wanted = created({ actorId: creator });
    const { groupId } = wanted;
    const step = async (over: Partial<GroupChangeDraft> & Pick<GroupChangeDraft, "kind">) =>
      committed(await harness.store.commit(draft({ groupId, actorId: creator, ...over }))).group;
    await harness.store.commit(wanted);
    const added = await step({ kind: "add", userIds: [one, two], expectedVersion: 1 });
    expect(added.membership).toBe(2);
    expect(added.members.map(({ userId }) => userId).toSorted()).toEqual([creator, one, two].toSorted());
    const promoted = await step({ kind: "role", userIds: [one], role: "admin", expectedVersion: 2 });
    expect(promoted.members.find(({ userId }) => userId === one)?.role).toBe("admin");
    expect(promoted.members.find(({ userId }) => userId === two)?.role).toBe("member");
    const renamed = await step({ kind: "rename", name: "Better friends", expectedVersion: 3 });
    expect(renamed).toMatchObject({ name: "Better friends", membership: 4 });
    const removed = await step({ kind: "remove", userIds: [two], expectedVersion: 4 });
    expect(removed.members.map(({ userId }) => userId)).not.toContain(two);
    const left = await step({ kind: "leave", actorId: one, userIds: [one], expectedVersion: 5 });
    expect(left).toMatchObject({ membership: 6, members: [{ userId: creator, role: "owner" }] });
    expect(await harness.store.load(groupId)).toEqual(left);
  });

  test("a version that no longer holds is refused with the group as it is, and changes nothing", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const { groupId } = wanted;
    await harness.store.commit(wanted);
    const { group } = committed(
      await harness.store.commit(draft({ groupId, kind: "rename", name: "Second", expectedVersion: 1 })),
    );
    for (const expectedVersion of [0, 1, 3]) {
      const outcome = await harness.store.commit(draft({ groupId, kind: "rename", name: "Lost", expectedVersion }));
      expect(outcome).toEqual({ outcome: "version_conflict", group });
    }
    expect(await harness.store.load(groupId)).toEqual(group);
    expect(await harness.store.pending(groupId, 10)).toHaveLength(2);
  });

  test("a repeated change answers what it made, though the group has moved on, and makes nothing again", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const { groupId } = wanted;
    const [one, two] = [newId(), newId()];
    await harness.store.commit(wanted);
    const add = draft({ groupId, kind: "add", userIds: [one], expectedVersion: 1 });
    const { change: made } = committed(await harness.store.commit(add));
    const { group } = committed(
      await harness.store.commit(draft({ groupId, kind: "add", userIds: [two], expectedVersion: 2 })),
    );
    await harness.store.settle(groupId, 1, 1);
    await harness.store.settle(groupId, 2, 2);
    const repeated = await harness.store.commit(add);
    expect(repeated).toMatchObject({ outcome: "repeated", group: { membership: group.membership } });
    expect(repeated).toHaveProperty("change", { ...made, seq: 2 });
    expect((await harness.store.intervals(groupId, one)).length).toBe(1);
  });

  test("of twenty changes at once on one version exactly one is committed", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const { groupId } = wanted;
    await harness.store.commit(wanted);
    const rivals = Array.from({ length: 20 }, (_, index) =>
      draft({ groupId, kind: "rename", name: `Name ${index}`, expectedVersion: 1 }),
    );
    const outcomes = await Promise.all(rivals.map((rival) => harness.store.commit(rival)));
    const winners = rivals.filter((_, index) => outcomes[index]?.outcome === "committed");
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "version_conflict")).toHaveLength(19);
    expect(await harness.store.load(groupId)).toMatchObject({ membership: 2, name: winners[0]?.name });
  });

  test("one change sent twenty times at once is committed once and repeated nineteen times", async () => {
    await using harness = await makeHarness();
    const wanted = created({ userIds: [newId()] });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => harness.store.commit(wanted)));
    expect(outcomes.filter(({ outcome }) => outcome === "committed")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "repeated")).toHaveLength(19);
    expect(await harness.store.pending(wanted.groupId, 10)).toHaveLength(1);
    expect(await harness.store.intervals(wanted.groupId, undefined)).toHaveLength(2);
  });

  test("adding a member again or removing a stranger changes nothing but the version", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const { groupId, actorId } = wanted;
    await change(harness.store, 1, wanted);
    await change(harness.store, 2, draft({ groupId, kind: "add", userIds: [actorId, actorId], expectedVersion: 1 }));
    await change(harness.store, 3, draft({ groupId, kind: "remove", userIds: [newId()], expectedVersion: 2 }));
    await change(
      harness.store,
      4,
      draft({ groupId, kind: "role", userIds: [newId()], role: "admin", expectedVersion: 3 }),
    );
    expect(await harness.store.load(groupId)).toMatchObject({
      membership: 4,
      members: [{ userId: actorId, role: "owner", joinedSeq: 1 }],
    });
    expect(await harness.store.intervals(groupId, undefined)).toEqual([{ userId: actorId, joinedSeq: 1, leftSeq: 0 }]);
  });

  test("a user's groups are those it is a member of now", async () => {
    await using harness = await makeHarness();
    const [user, other] = [newId(), newId()];
    const [kept, left] = [created({ userIds: [user] }), created({ userIds: [user, other] })];
    await harness.store.commit(kept);
    await harness.store.commit(left);
    expect((await harness.store.ofUser(user)).toSorted()).toEqual([kept.groupId, left.groupId].toSorted());
    await harness.store.commit(
      draft({ groupId: left.groupId, kind: "leave", actorId: user, userIds: [user], expectedVersion: 1 }),
    );
    expect(await harness.store.ofUser(user)).toEqual([kept.groupId]);
    expect(await harness.store.ofUser(other)).toEqual([left.groupId]);
  });

  test("the largest group loads whole", async () => {
    await using harness = await makeHarness();
    const userIds = Array.from({ length: limits.membersPerGroupMax - 1 }, newId);
    const wanted = created({ userIds });
    await change(harness.store, 1, wanted);
    const group = await harness.store.load(wanted.groupId);
    expect(new Set(group?.members.map(({ userId }) => userId))).toEqual(new Set([wanted.actorId, ...userIds]));
    expect(group?.members.every(({ joinedSeq }) => joinedSeq === 1)).toBe(true);
  });
}

function settleTests(makeHarness: MakeDurableHarness<Groups>): void {
  test("a change is pending until it is settled, in the order of versions", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    const { groupId } = wanted;
    const first = committed(await harness.store.commit(wanted)).change;
    const second = committed(
      await harness.store.commit(draft({ groupId, kind: "rename", name: "Two", expectedVersion: 1 })),
    ).change;
    const third = committed(
      await harness.store.commit(
        draft({ groupId, kind: "role", userIds: [newId()], role: "admin", since: 7, expectedVersion: 2 }),
      ),
    ).change;
    expect(await harness.store.pending(groupId, 10)).toEqual([first, second, third]);
    expect(await harness.store.pending(groupId, 2)).toEqual([first, second]);
    await harness.store.settle(groupId, 1, 1);
    expect(await harness.store.pending(groupId, 10)).toEqual([second, third]);
    await harness.store.settle(groupId, 2, 2);
    await harness.store.settle(groupId, 3, 9);
    expect(await harness.store.pending(groupId, 10)).toEqual([]);
  });

  test("what is pending in every group is found after the process died, and can be settled then", async () => {
    await using harness = await makeHarness();
    const [one, other, settled] = [created({ userIds: [newId()] }), created(), created()];
    const changes = [
      committed(await harness.store.commit(one)).change,
      committed(await harness.store.commit(other)).change,
    ];
    await change(harness.store, 1, settled);
    const reopened = await harness.reopen();
    const pending = await reopened.pending(undefined, 100);
    expect(pending).toHaveLength(2);
    expect(pending).toEqual(expect.arrayContaining(changes));
    expect(await reopened.pending(undefined, 1)).toHaveLength(1);
    await reopened.settle(one.groupId, 1, 1);
    expect(await reopened.pending(undefined, 100)).toEqual([changes[1]]);
    expect((await reopened.load(one.groupId))?.members.every(({ joinedSeq }) => joinedSeq === 1)).toBe(true);
  });

  test("settling twice is the same as once; settling what does not exist is nothing", async () => {
    await using harness = await makeHarness();
    const wanted = created();
    await change(harness.store, 1, wanted);
    const before = await harness.store.load(wanted.groupId);
    await harness.store.settle(wanted.groupId, 1, 1);
    await harness.store.settle(wanted.groupId, 1, 5);
    await harness.store.settle(wanted.groupId, 2, 5);
    await harness.store.settle(newId(), 1, 5);
    expect(await harness.store.load(wanted.groupId)).toEqual(before);
    expect(await harness.store.intervals(wanted.groupId, wanted.actorId)).toEqual([
      { userId: wanted.actorId, joinedSeq: 1, leftSeq: 0 },
    ]);
  });

  test("a settled group survives the process as it was", async () => {
    await using harness = await makeHarness();
    const [user, gone] = [newId(), newId()];
    const wanted = created({ userIds: [user, gone] });
    const { groupId } = wanted;
    await change(harness.store, 1, wanted);
    await change(harness.store, 4, draft({ groupId, kind: "remove", userIds: [gone], expectedVersion: 1 }));
    const [group, intervals] = [await harness.store.load(groupId), await harness.store.intervals(groupId, undefined)];
    const reopened = await harness.reopen();
    expect(await reopened.load(groupId)).toEqual(group);
    expect(await reopened.intervals(groupId, undefined)).toEqual(intervals);
    expect(await reopened.ofUser(user)).toEqual([groupId]);
    expect(await reopened.ofUser(gone)).toEqual([]);
    expect(await reopened.commit(wanted)).toMatchObject({ outcome: "repeated", change: { seq: 1 } });
    expect(await reopened.commit(draft({ groupId, kind: "rename", name: "x", expectedVersion: 1 }))).toMatchObject({
      outcome: "version_conflict",
    });
  });
}

function intervalTests(makeHarness: MakeDurableHarness<Groups>): void {
  test("joining, leaving and rejoining makes an interval each: own arrival and own removal are read", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const wanted = created();
    const { groupId } = wanted;
    await change(harness.store, 1, wanted);
    await change(harness.store, 5, draft({ groupId, kind: "add", userIds: [user], expectedVersion: 1 }));
    await change(
      harness.store,
      9,
      draft({ groupId, kind: "leave", actorId: user, userIds: [user], expectedVersion: 2 }),
    );
    await change(harness.store, 20, draft({ groupId, kind: "add", userIds: [user], expectedVersion: 3 }));
    await change(harness.store, 30, draft({ groupId, kind: "remove", userIds: [user], expectedVersion: 4 }));
    await change(harness.store, 31, draft({ groupId, kind: "add", userIds: [user], expectedVersion: 5 }));
    expect(await harness.store.intervals(groupId, user)).toEqual([
      { userId: user, joinedSeq: 5, leftSeq: 10 },
      { userId: user, joinedSeq: 20, leftSeq: 31 },
      { userId: user, joinedSeq: 31, leftSeq: 0 },
    ]);
    expect((await harness.store.load(groupId))?.members).toEqual(
      expect.arrayContaining([{ userId: user, role: "member", joinedSeq: 31 }]),
    );
  });

  test("a joiner reads nothing, and a leaver's interval stays open, until the change is settled", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const wanted = created();
    const { groupId } = wanted;
    await change(harness.store, 1, wanted);
    await harness.store.commit(draft({ groupId, kind: "add", userIds: [user], expectedVersion: 1 }));
    expect(await harness.store.intervals(groupId, user)).toEqual([{ userId: user, joinedSeq: 0, leftSeq: 0 }]);
    await harness.store.settle(groupId, 2, 2);
    await harness.store.commit(draft({ groupId, kind: "remove", userIds: [user], expectedVersion: 2 }));
    expect(await harness.store.intervals(groupId, user)).toEqual([{ userId: user, joinedSeq: 2, leftSeq: 0 }]);
    await harness.store.settle(groupId, 3, 3);
    expect(await harness.store.intervals(groupId, user)).toEqual([{ userId: user, joinedSeq: 2, leftSeq: 4 }]);
  });

  test("changes committed before any was settled each settle their own interval", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const wanted = created();
    const { groupId } = wanted;
    await harness.store.commit(wanted);
    await harness.store.commit(draft({ groupId, kind: "add", userIds: [user], expectedVersion: 1 }));
    await harness.store.commit(draft({ groupId, kind: "remove", userIds: [user], expectedVersion: 2 }));
    await harness.store.commit(draft({ groupId, kind: "add", userIds: [user], expectedVersion: 3 }));
    await harness.store.settle(groupId, 1, 1);
    await harness.store.settle(groupId, 2, 2);
    const joined = async () =>
      (await harness.store.load(groupId))?.members.find(({ userId }) => userId === user)?.joinedSeq;
    expect(await joined()).toBe(0);
    await harness.store.settle(groupId, 3, 3);
    expect(await joined()).toBe(0);
    await harness.store.settle(groupId, 4, 6);
    expect(await joined()).toBe(6);
    expect(await harness.store.intervals(groupId, user)).toEqual([
      { userId: user, joinedSeq: 2, leftSeq: 4 },
      { userId: user, joinedSeq: 6, leftSeq: 0 },
    ]);
  });

  test("the intervals of a group are those of everyone who ever was a member, ascending", async () => {
    await using harness = await makeHarness();
    const [early, late] = [newId(), newId()];
    const wanted = created({ userIds: [early] });
    const { groupId, actorId } = wanted;
    await change(harness.store, 1, wanted);
    await change(harness.store, 2, draft({ groupId, kind: "remove", userIds: [early], expectedVersion: 1 }));
    await change(harness.store, 3, draft({ groupId, kind: "add", userIds: [late], expectedVersion: 2 }));
    const intervals = await harness.store.intervals(groupId, undefined);
    expect(intervals).toHaveLength(3);
    expect(intervals.slice(0, 2)).toEqual(
      expect.arrayContaining([
        { userId: actorId, joinedSeq: 1, leftSeq: 0 },
        { userId: early, joinedSeq: 1, leftSeq: 3 },
      ]),
    );
    expect(intervals[2]).toEqual({ userId: late, joinedSeq: 3, leftSeq: 0 });
  });

  test("groups do not see each other's members", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const [one, other] = [created({ userIds: [user] }), created()];
    await change(harness.store, 1, one);
    await change(harness.store, 1, other);
    expect(await harness.store.intervals(other.groupId, user)).toEqual([]);
    expect((await harness.store.load(other.groupId))?.members).toHaveLength(1);
  });
}
