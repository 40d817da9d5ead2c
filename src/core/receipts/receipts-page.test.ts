import { expect, test } from "vitest";
import { createMemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { limits } from "../../protocol/limits.ts";
import type { MemberInterval } from "../model.ts";
import { createReceiptsPage } from "./receipts-page.ts";

test("a group that many have left tells everyone in it and the last who left, in a page that a client takes; counts are of all", async () => {
  const world = createMemoryWorld();
  const groupId = world.id();
  const own: MemberInterval = { userId: world.user(), joinedSeq: 1, leftSeq: 0 };
  const left = Array.from({ length: 5_000 }, (_, index) => ({
    userId: world.id(),
    joinedSeq: 2,
    leftSeq: index + 100,
  }));
  const staying = Array.from({ length: limits.membersPerGroupMax - 1 }, () => ({
    userId: world.id(),
    joinedSeq: 2,
    leftSeq: 0,
  }));
  const all = [own, ...left, ...staying];
  const rows = all.map(({ userId }) => {
    const at = 1_700_000_000_000;
    return { conversationId: groupId, userId, recv: { seq: 1_000_000, at }, read: { seq: 1_000_000, at } };
  });
  await world.receipts.write(rows);
  world.groups.intervals = async () => all;
  const page = createReceiptsPage({
    ...world.ports(),
    intervals: { of: async () => [own], forget: () => undefined },
  });
  const answer = await page({ userId: own.userId, device: 1 }, groupId, 50);
  const told = new Set(answer.members.map((member) => member.userId));
  for (const { userId } of [own, ...staying, ...left.slice(-1_000)]) expect(told.has(userId)).toBe(true);
  expect(answer.count?.total).toBe(all.length - 1);
  const line = { user_id: "", recv_seq: 0, recv_at: 0, read_seq: 0, read_at: 0, joined_seq: 0, left_seq: 0 };
  const names = JSON.stringify(line).length;
  const values = answer.members.map((member) => Object.values(member).join("").length);
  const bytes = values.reduce((sum, length) => sum + names + length, 0);
  expect(bytes).toBeLessThan(limits.pageBytesMax);
});
