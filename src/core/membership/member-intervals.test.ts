import { describe, expect, test } from "vitest";
import { createDeferred } from "../../base/deferred.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { Belief } from "../belief.ts";
import type { MemberInterval } from "../model.ts";
import type { Groups } from "../ports/groups.ts";
import { createMemberIntervals } from "./member-intervals.ts";

const groupId = "01890000-0000-7000-8000-000000000001";
const otherId = "01890000-0000-7000-8000-000000000002";
const member = "01890000-0000-7000-8000-00000000000a";

function setUp(ageMaxMs: number) {
  let nowMs = 0;
  const loads: {
    readonly groupId: Uuid;
    answer(list: readonly MemberInterval[]): void;
    fail(reason: Error): void;
  }[] = [];
  const groups = {
    intervals(asked: Uuid) {
      const deferred = createDeferred<readonly MemberInterval[]>();
      loads.push({
        groupId: asked,
        answer: (list) => deferred.resolve(list),
        fail: (reason) => deferred.reject(reason),
      });
      return deferred.promise;
    },
  } as Pick<Groups, "intervals"> as Groups;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, schedule: () => ({ cancel: () => undefined }) };
  const bus = { hearing: () => ({ sinceMs: Infinity, toMs: -Infinity }) };
  const belief = new Belief({ bus, clock }, ageMaxMs);
  return { loads, intervals: createMemberIntervals(groups, belief), pass: (ms: number) => (nowMs += ms) };
}

const from = (joinedSeq: number): readonly MemberInterval[] => [{ userId: member, joinedSeq, leftSeq: 0 }];

describe("member intervals", () => {
  test("are loaded once and kept until a notice about the group", async () => {
    const { loads, intervals } = setUp(Number.POSITIVE_INFINITY);
    const first = intervals.of(groupId, member, false);
    const other = intervals.of(otherId, member, false);
    loads[0]?.answer(from(3));
    loads[1]?.answer(from(4));
    expect(await first).toEqual(from(3));
    expect(await other).toEqual(from(4));
    await intervals.of(groupId, member, false);
    expect(loads).toHaveLength(2);
    intervals.forget(groupId);
    void intervals.of(groupId, member, false);
    await intervals.of(otherId, member, false);
    expect(loads.map((load) => load.groupId)).toEqual([groupId, otherId, groupId]);
  });

  test("a load that began before the notice is not kept", async () => {
    const { loads, intervals } = setUp(Number.POSITIVE_INFINITY);
    const early = intervals.of(groupId, member, false);
    intervals.forget(groupId);
    const late = intervals.of(groupId, member, false);
    loads[0]?.answer(from(3));
    loads[1]?.answer(from(9));
    await early;
    expect(await late).toEqual(from(9));
    expect(await intervals.of(groupId, member, false)).toEqual(from(9));
  });

  test("a fresh read replaces what was kept", async () => {
    const { loads, intervals } = setUp(Number.POSITIVE_INFINITY);
    const first = intervals.of(groupId, member, false);
    loads[0]?.answer(from(3));
    await first;
    const fresh = intervals.of(groupId, member, true);
    loads[1]?.answer(from(5));
    await fresh;
    expect(await intervals.of(groupId, member, false)).toEqual(from(5));
    expect(loads).toHaveLength(2);
  });

  test("are read again once they are too old, since the bus may have fallen silent", () => {
    const { loads, intervals, pass } = setUp(1_000);
    void intervals.of(groupId, member, false);
    pass(1_000);
    void intervals.of(groupId, member, false);
    expect(loads).toHaveLength(1);
    pass(1);
    void intervals.of(groupId, member, false);
    expect(loads).toHaveLength(2);
  });

  test("a failed load is not kept", async () => {
    const { loads, intervals } = setUp(Number.POSITIVE_INFINITY);
    const failed = intervals.of(groupId, member, false);
    loads[0]?.fail(new Error("store"));
    await expect(failed).rejects.toThrow("store");
    void intervals.of(groupId, member, false);
    expect(loads).toHaveLength(2);
  });

  test.each([
    ["a stranger", []],
    ["a join that is not in the log yet", from(0)],
  ])("%s is asked for again each time", async (_, answer) => {
    const { loads, intervals } = setUp(Number.POSITIVE_INFINITY);
    const first = intervals.of(groupId, member, false);
    loads[0]?.answer(answer);
    expect(await first).toEqual(answer);
    void intervals.of(groupId, member, false);
    expect(loads).toHaveLength(2);
  });

  test("a direct chat is readable from its first row, without asking anyone", async () => {
    const { loads, intervals } = setUp(0);
    expect(await intervals.of(directConversationId(groupId, otherId), member, false)).toEqual(from(1));
    expect(loads).toHaveLength(0);
  });
});
