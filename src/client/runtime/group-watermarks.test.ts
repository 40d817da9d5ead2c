import { expect, test } from "vitest";
import { group, me, peer } from "../../../test/helpers/scripted-machine.ts";
import { GroupWatermarks } from "./group-watermarks.ts";

const third = "00000000-0003-7000-8000-000000000003";

function pageOf(members: readonly [user: string, recv: number, read: number][]) {
  return {
    type: "receipts" as const,
    conversationId: group,
    page: {
      type: "RECEIPTS_PAGE" as const,
      request: "c1",
      conversation_id: group,
      members: members.map(([user_id, recv_seq, read_seq]) => ({
        user_id,
        recv_seq,
        recv_at: 0,
        read_seq,
        read_at: 0,
        joined_seq: 1,
        left_seq: 0,
      })),
    },
  };
}

function moved(userId: string, recvSeq: number, readSeq: number) {
  return { type: "watermarks" as const, conversationId: group, userId, recvSeq, readSeq };
}

test("a tick counts for a group when everyone else has it", () => {
  const watermarks = new GroupWatermarks();
  expect(watermarks.statusOf(group, me, 5)).toBe("sent");
  watermarks.apply(
    pageOf([
      [me, 0, 0],
      [peer, 5, 0],
      [third, 4, 0],
    ]),
  );
  expect(watermarks.count(group, me, 5)).toEqual({ total: 2, delivered: 1, read: 0 });
  watermarks.apply(moved(third, 5, 5));
  expect(watermarks.statusOf(group, me, 5)).toBe("delivered");
  watermarks.apply(moved(peer, 5, 6));
  expect(watermarks.statusOf(group, me, 5)).toBe("read");
});

test("an old push takes nothing back, and pushes about strangers are ignored", () => {
  const watermarks = new GroupWatermarks();
  watermarks.apply(moved(peer, 9, 9));
  expect(watermarks.members(group)).toBeUndefined();
  watermarks.apply(
    pageOf([
      [me, 0, 0],
      [peer, 5, 5],
    ]),
  );
  watermarks.apply(moved(peer, 3, 0));
  watermarks.apply(moved(third, 3, 0));
  expect(watermarks.members(group)).toHaveLength(2);
  expect(watermarks.statusOf(group, me, 5)).toBe("read");
});

test("a page that was read before a push, or before another page, takes nothing back", () => {
  const watermarks = new GroupWatermarks();
  const early = pageOf([
    [me, 0, 0],
    [peer, 4, 4],
  ]);
  watermarks.apply(early);
  watermarks.apply(moved(peer, 5, 5));
  watermarks.apply(early);
  expect(watermarks.statusOf(group, me, 5)).toBe("read");
});
