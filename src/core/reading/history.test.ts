import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { directFixture, groupFixture } from "../../../test/helpers/conversation-fixture.ts";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Caller, ReadingApi, RowPage } from "../api.ts";
import { Belief } from "../belief.ts";
import { createMemberIntervals } from "../membership/member-intervals.ts";
import { FanOutSends } from "../fan-out/fan-out-sends.ts";
import { createReading } from "./create-reading.ts";
import { seekTime } from "./seek-time.ts";

const by = (userId: Uuid): Caller => ({ userId, device: 1 });
const seqs = (page: RowPage) => page.messages.map((row) => row.seq);

function readingOn(world: MemoryWorld): ReadingApi {
  const ports = world.ports();
  const intervals = createMemberIntervals(ports.groups, new Belief(ports, Infinity));
  const groupName = async (groupId: Uuid) => (await ports.groups.load(groupId))?.name;
  const largeGroups = { has: async () => false };
  return createReading({ ...ports, intervals, groupName, largeGroups, fanOut: new FanOutSends(ports.fanOut) });
}

async function setUp(rows: number) {
  const world = createMemoryWorld();
  const [alice, bob] = [world.user(), world.user()];
  const chat = directFixture(world, alice, bob);
  for (let row = 0; row < rows; row++) {
    await chat.say(alice);
    world.clock.advance(10);
  }
  return { world, alice, bob, chat, reading: readingOn(world), begin: world.clock.nowMs() - rows * 10 };
}

describe("history", () => {
  test("goes back page by page to the first row", async () => {
    const { bob, chat, reading } = await setUp(12);
    const newest = await reading.history(by(bob), chat.id, undefined, 5);
    expect(newest).toMatchObject({ from: 8, to: 12, hasMore: true });
    expect(seqs(newest)).toEqual([8, 9, 10, 11, 12]);
    const older = await reading.history(by(bob), chat.id, { seq: 8 }, 5);
    expect(seqs(older)).toEqual([3, 4, 5, 6, 7]);
    expect(await reading.history(by(bob), chat.id, { seq: 3 }, 5)).toMatchObject({ from: 1, to: 2, hasMore: false });
    expect(await reading.history(by(bob), chat.id, { seq: 1 }, 5)).toMatchObject({ messages: [], hasMore: false });
  });

  test("before a time: rows sent strictly before it, rows of one millisecond together", async () => {
    const { bob, chat, alice, reading, begin } = await setUp(12);
    await chat.say(alice);
    await chat.say(alice);
    expect(seqs(await reading.history(by(bob), chat.id, { time: begin + 50 }, 3))).toEqual([3, 4, 5]);
    expect(seqs(await reading.history(by(bob), chat.id, { time: begin + 51 }, 3))).toEqual([4, 5, 6]);
    expect(seqs(await reading.history(by(bob), chat.id, { time: begin + 120 }, 3))).toEqual([10, 11, 12]);
    expect(seqs(await reading.history(by(bob), chat.id, { time: begin + 121 }, 3))).toEqual([12, 13, 14]);
    expect(seqs(await reading.history(by(bob), chat.id, { time: begin }, 3))).toEqual([]);
  });

  test("a seq beyond the end is the end; a limit beyond the bound is the bound", async () => {
    const { bob, chat, reading } = await setUp(limits.pageRowsMax + 10);
    const page = await reading.history(by(bob), chat.id, { seq: 1e12 }, 1e9);
    expect(page).toMatchObject({ from: 11, to: limits.pageRowsMax + 10, hasMore: true });
  });

  test("a page below the own last row does not look at the head", async () => {
    const { world, bob, chat, reading } = await setUp(8);
    const before = world.log.calls.newestBucket;
    await reading.history(by(bob), chat.id, { seq: 8 }, 5);
    expect(world.log.calls.newestBucket).toBe(before);
  });

  test("cleared rows are gone and count as covered", async () => {
    const { world, bob, chat, reading } = await setUp(8);
    await world.lists.write([{ userId: bob, conversationId: chat.id, kind: "direct", clearedSeq: 5 }]);
    const page = await reading.history(by(bob), chat.id, undefined, 50);
    expect(page).toMatchObject({ from: 1, to: 8, gone: [[1, 5]], hasMore: false });
    expect(seqs(page)).toEqual([6, 7, 8]);
  });

  test("a conversation that is not the caller's own is not there", async () => {
    const { world, chat, reading } = await setUp(1);
    const stranger = by(world.user());
    for (const read of [
      () => reading.history(stranger, chat.id, undefined, 5),
      () => reading.range(stranger, chat.id, 1, 1),
      () => reading.registers(stranger, chat.id),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: "no_such_conversation" });
    }
  });

  test("what is read of a group follows the groups port, though the list row still says member", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const group = await groupFixture(world, alice, bob);
    const removed = await group.remove(bob);
    const secret = await group.say(alice);
    // As after a crash between the settled change and the list row.
    const row = world.lists.rowOf(bob, group.id);
    await world.lists.write([
      {
        userId: bob,
        conversationId: group.id,
        kind: "group",
        membership: { seq: (row?.membershipSeq ?? 0) + 1, joinedSeq: 1, leftSeq: 0, leftUcount: 0 },
      },
    ]);
    const page = await readingOn(world).range(by(bob), group.id, 1, secret);
    expect(page.unreadable).toEqual([[secret, secret]]);
    expect(Math.max(...seqs(page))).toBe(removed);
  });
});

describe("range", () => {
  test("answers what exists of it, and ends before what does not", async () => {
    const { bob, chat, reading } = await setUp(6);
    expect(seqs(await reading.range(by(bob), chat.id, 3, 100))).toEqual([3, 4, 5, 6]);
    expect(await reading.range(by(bob), chat.id, 7, 9)).toMatchObject({ from: 7, to: 6, messages: [], hasMore: false });
    await expect(reading.range(by(bob), chat.id, 5, 4)).rejects.toMatchObject({ code: "bad_request" });
  });

  test("includes void rows above the own last row, so that their hole can be filled", async () => {
    const { alice, bob, chat, reading } = await setUp(2);
    await chat.say(alice, { visibility: 1 });
    expect((await reading.range(by(bob), chat.id, 2, 3)).messages).toMatchObject([
      { seq: 2, kind: 1 },
      { seq: 3, kind: 0 },
    ]);
  });

  test("tells one who left nothing of how far the others have come", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const group = await groupFixture(world, alice, bob);
    const removed = await group.remove(bob);
    await group.sayMany(alice, 5);
    expect(await readingOn(world).range(by(bob), group.id, 1, 100)).toMatchObject({
      to: removed,
      unreadable: [],
      hasMore: false,
    });
  });

  test("is one page long at most", async () => {
    const { bob, chat, reading } = await setUp(limits.pageRowsMax + 5);
    expect(await reading.range(by(bob), chat.id, 1, limits.pageRowsMax + 5)).toMatchObject({
      from: 1,
      to: limits.pageRowsMax,
      hasMore: true,
    });
  });
});

describe("seekTime", () => {
  test("finds the last row before a time, for any times", async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 500 }),
        async (list, first, after) => {
          const times: number[] = [];
          for (const step of list) times.push((times.at(-1) ?? 0) + step);
          const from = Math.min(first, list.length - 1) + 1;
          const found = await seekTime(logOf(times, 16), "c", from, times.length, after);
          const expected = Math.max(from - 1, times.filter((time) => time < after).length);
          expect(found).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("costs 10 point reads in a log of 65,536 rows", async () => {
    const times = Array.from({ length: 65_536 }, (_, index) => index);
    const reads = { points: 0, others: 0 };
    expect(await seekTime(logOf(times, 1_024, reads), "c", 1, times.length, 40_000)).toBe(40_000);
    expect(reads.points).toBeLessThanOrEqual(10);
    expect(reads.others).toBeLessThanOrEqual(2);
  });
});

function logOf(times: readonly number[], bucketRows: number, reads = { points: 0, others: 0 }) {
  const { log } = createMemoryWorld();
  return Object.assign(Object.create(log) as typeof log, {
    bucketRows,
    readBucket(_: Uuid, bucket: number, fromSeq: number, toSeq: number, rowsMax: number) {
      if (fromSeq === toSeq) reads.points++;
      else reads.others++;
      const rows = [];
      for (
        let seq = Math.min(toSeq, times.length, (bucket + 1) * bucketRows);
        seq >= Math.max(fromSeq, bucket * bucketRows + 1) && rows.length < rowsMax;
        seq--
      ) {
        rows.push({ seq, sentAt: times[seq - 1] });
      }
      return Promise.resolve({ head: undefined, rows });
    },
  });
}
