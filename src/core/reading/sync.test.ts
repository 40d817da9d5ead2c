import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { directFixture, groupFixture, type ConversationFixture } from "../../../test/helpers/conversation-fixture.ts";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import type { SyncCursor } from "../../protocol/frames/client-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Caller, ReadingApi, SyncPage, SyncProgress } from "../api.ts";
import { Belief } from "../belief.ts";
import { createMemberIntervals } from "../membership/member-intervals.ts";
import { FanOutSends } from "../fan-out/fan-out-sends.ts";
import { createReading } from "./create-reading.ts";

const by = (userId: Uuid, device = 1): Caller => ({ userId, device });

function readingOn(world: MemoryWorld): ReadingApi {
  const ports = world.ports();
  const intervals = createMemberIntervals(ports.groups, new Belief(ports, Infinity));
  const groupName = async (groupId: Uuid) => (await ports.groups.load(groupId))?.name;
  const largeGroups = { has: async () => false };
  return createReading({ ...ports, intervals, groupName, largeGroups, fanOut: new FanOutSends(ports.fanOut) });
}

type Cursor = Omit<SyncCursor, "conversation_id">;
const none: Cursor = { seq: 0, read: 0, peer_recv: 0, peer_read: 0 };

function cursorsOf(...cursors: readonly (readonly [Uuid, Partial<Cursor>])[]): ReadonlyMap<Uuid, SyncCursor> {
  return new Map(cursors.map(([id, cursor]) => [id, { ...none, ...cursor, conversation_id: id }]));
}

const begun = (): SyncProgress => ({ turned: new Set(), filled: new Set() });

/** Runs a sync to its end, token by token. */
async function syncAll(reading: ReadingApi, caller: Caller, cursors: ReadonlyMap<Uuid, SyncCursor>) {
  const pages: SyncPage[] = [];
  const progress = begun();
  let calls = 0;
  for (let token: string | undefined; calls < 100;) {
    calls++;
    const { next } = await reading.sync(
      caller,
      cursors,
      token,
      (page) => Promise.resolve(void pages.push(page)),
      progress,
    );
    if (next === undefined) return { pages, calls };
    token = next;
  }
  throw new Error("the sync does not end");
}

const spans = (pages: readonly SyncPage[]) => pages.map(({ from, to }) => [from, to]);
const seqsOf = (pages: readonly SyncPage[]) => pages.flatMap((page) => page.messages.map((row) => row.seq));

async function directSetUp(rows: number, bucketRows = 16) {
  const world = createMemoryWorld({ bucketRows });
  const [alice, bob] = [world.user(), world.user()];
  const chat = directFixture(world, alice, bob);
  await chat.sayMany(alice, rows);
  return { world, alice, bob, chat, reading: readingOn(world) };
}

describe("what a sync answers", () => {
  test("a device that has everything gets nothing", async () => {
    const { bob, chat, reading } = await directSetUp(5);
    expect((await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 5 }]))).pages).toEqual([]);
  });

  test("what is missing, with the registers", async () => {
    const { alice, bob, chat, reading } = await directSetUp(5);
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 2 }]));
    expect(pages).toMatchObject([
      {
        conversationId: chat.id,
        kind: "direct",
        peerId: alice,
        from: 3,
        to: 5,
        hasMore: false,
        registers: { last_seq: 5 },
      },
    ]);
    expect(seqsOf(pages)).toEqual([3, 4, 5]);
  });

  test.each([
    ["read", { recvSeq: 3, read: { seq: 3, ucount: 3 } }],
    ["peer_recv", { peerRecvSeq: 3 }],
    ["peer_read", { peerReadSeq: 3 }],
  ])("a tick alone (%s), without any new row", async (name, write) => {
    const { world, bob, chat, reading } = await directSetUp(5);
    await world.lists.write([{ userId: bob, conversationId: chat.id, kind: "direct", ...write }]);
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 5 }]));
    expect(pages).toMatchObject([{ from: 6, to: 5, messages: [], registers: { [`${name}_seq`]: 3 } }]);
    const known = cursorsOf([chat.id, { seq: 5, [name]: 3 }]);
    expect((await syncAll(reading, by(bob), known)).pages).toEqual([]);
  });

  test("a new device hears of every conversation, the most recent first, whatever the order of its cursors", async () => {
    const world = createMemoryWorld();
    const me = world.user();
    const chats: ConversationFixture[] = [];
    for (let index = 0; index < 20; index++) {
      world.clock.advance(1_000);
      const chat = directFixture(world, me, world.user());
      await chat.say(me);
      chats.push(chat);
    }
    world.clock.advance(1_000);
    await chats[7]?.say(me);
    const { pages } = await syncAll(readingOn(world), by(me), new Map());
    const expected = chats.map((chat) => chat.id).toReversed();
    const moved = chats[7]?.id as Uuid;
    expect(pages.map((page) => page.conversationId)).toEqual([moved, ...expected.filter((id) => id !== moved)]);
  });

  test("void rows fill their holes and tell nothing", async () => {
    const { alice, bob, chat, reading } = await directSetUp(1);
    await chat.say(alice, { visibility: 1 });
    await chat.say(alice);
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 1 }]));
    expect(pages[0]?.messages).toMatchObject([
      { seq: 2, kind: 0 },
      { seq: 3, kind: 1 },
    ]);
    const own = await syncAll(reading, by(alice), cursorsOf([chat.id, { seq: 1 }]));
    expect(own.pages[0]?.messages).toMatchObject([
      { seq: 2, kind: 1, max_status: "sent" },
      { seq: 3, kind: 1 },
    ]);
  });

  test("a void row at the end moves nothing for its reader, and a device that filled it stays in step", async () => {
    const { alice, bob, chat, reading } = await directSetUp(1);
    await chat.say(alice, { visibility: 1 });
    expect((await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 1 }]))).pages).toEqual([]);
    expect((await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 2 }]))).pages).toEqual([]);
  });

  test("the name of a group on its first page; one who left is told no more of it", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const group = await groupFixture(world, alice, bob);
    await group.sayMany(alice, limits.syncBatchRowsMax + 1);
    const { pages } = await syncAll(readingOn(world), by(bob), cursorsOf([group.id, { seq: 1 }]));
    expect(pages.map(({ name }) => name)).toEqual(["group", undefined]);
    await group.remove(bob);
    const left = await syncAll(readingOn(world), by(bob), cursorsOf([group.id, { seq: 50 }]));
    expect(left.pages[0]?.name).toBeUndefined();
  });

  test("that the reader is out, until the cursor says that the device knows", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const group = await groupFixture(world, alice, bob);
    const removed = await group.remove(bob);
    const held = { seq: removed };
    const untold = await syncAll(readingOn(world), by(bob), cursorsOf([group.id, held]));
    expect(untold.pages).toMatchObject([
      { from: removed + 1, to: removed, messages: [], registers: { left_seq: removed + 1 } },
    ]);
    const told = await syncAll(readingOn(world), by(bob), cursorsOf([group.id, { ...held, left: removed + 1 }]));
    expect(told.pages).toEqual([]);
  });

  test("unreadable rows of a group are named, so that the device counts them as filled", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const group = await groupFixture(world, alice, bob);
    await group.say(alice);
    const removed = await group.remove(bob);
    await group.sayMany(alice, 3);
    const reading = readingOn(world);
    const whileOut = await syncAll(reading, by(bob), cursorsOf([group.id, { seq: 1 }]));
    expect(whileOut.pages).toMatchObject([
      { from: 2, to: removed, registers: { last_seq: removed, left_seq: removed + 1 } },
    ]);
    const returned = await group.add(bob);
    const back = await syncAll(readingOn(world), by(bob), cursorsOf([group.id, { seq: removed }]));
    expect(back.pages).toMatchObject([
      { from: removed + 1, to: returned, unreadable: [[removed + 1, returned - 1]], registers: { left_seq: 0 } },
    ]);
    expect(seqsOf(back.pages)).toEqual([returned]);
  });

  // What is told to be unreadable is never asked for again, so it may be said only of what is settled.
  test("a join that is listed but not settled yet is left open, and answered when it is", async () => {
    const world = createMemoryWorld({ bucketRows: 4 });
    const [alice, bob] = [world.user(), world.user()];
    const chat = await groupFixture(world, alice, bob);
    await chat.remove(bob);
    await chat.say(alice);
    const reading = readingOn(world);
    const at = world.clock.nowMs();
    const change = { groupId: chat.id, messageId: world.id(), since: 3, actorId: alice, actorDevice: 1, at };
    await world.groups.commit({ ...change, kind: "add", userIds: [bob], expectedVersion: 2 });
    const joined = await chat.say(alice, { kind: 7 });
    const membership = { seq: joined, joinedSeq: joined, leftSeq: 0, leftUcount: 0 };
    const last = { seq: joined, ucount: 1, sender: alice, at };
    await world.lists.write([{ userId: bob, conversationId: chat.id, kind: "group", membership, last }]);

    const sync = () => syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 0 }]));
    expect((await sync()).pages).toMatchObject([{ from: 1, to: 2, unreadable: [] }]);
    expect(await reading.range(by(bob), chat.id, 3, 4)).toMatchObject({ from: 3, to: 2, unreadable: [] });

    await world.groups.settle(chat.id, 3, joined);
    const { pages } = await sync();
    expect(pages).toMatchObject([{ from: 1, to: joined, unreadable: [[3, joined - 1]] }]);
    expect(seqsOf(pages)).toEqual([1, 2, joined]);
  });

  test("a join that this process has not heard of is asked for again before anything is called unreadable", async () => {
    const world = createMemoryWorld({ bucketRows: 4 });
    const [alice, bob] = [world.user(), world.user()];
    const chat = await groupFixture(world, alice, bob);
    await chat.remove(bob);
    const reading = readingOn(world);
    await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 0 }]));
    const joined = await chat.add(bob);
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: joined - 1 }]));
    expect(seqsOf(pages)).toEqual([joined]);
  });

  test("a cursor beyond the log is refused by name, one beyond the own last row is not", async () => {
    const { bob, chat, reading } = await directSetUp(5);
    await expect(syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 6 }]))).rejects.toMatchObject({
      code: "cursor_ahead",
      message: expect.stringContaining(chat.id) as string,
    });
    await expect(syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 0, tail: [3, 6] }]))).rejects.toMatchObject({
      code: "cursor_ahead",
    });
    const foreign = "01890000-0000-7000-8000-000000000001";
    await expect(syncAll(reading, by(bob), cursorsOf([foreign, { seq: 1 }]))).rejects.toMatchObject({
      code: "cursor_ahead",
    });
  });

  test("a page token that is none is refused", async () => {
    const { bob, reading } = await directSetUp(1);
    for (const token of [
      "",
      "3.1.1.x.1",
      "1.-1.1.01890000-0000-7000-8000-000000000001.1",
      "1.1.1.01890000-0000-7000-8000-000000000001.1.1",
    ]) {
      await expect(reading.sync(by(bob), new Map(), token, () => Promise.resolve(), begun())).rejects.toMatchObject({
        code: "bad_request",
      });
    }
  });
});

describe("a device that is far behind", () => {
  test("gets the newest 50 of every conversation before anything older", async () => {
    const world = createMemoryWorld({ bucketRows: 64 });
    const me = world.user();
    const [one, two] = [directFixture(world, me, world.user()), directFixture(world, me, world.user())];
    for (const chat of [one, two]) {
      world.clock.advance(1_000);
      await chat.sayMany(me, 300);
    }
    const { pages } = await syncAll(readingOn(world), by(me), new Map());
    const newest = [251, 300];
    const older = [
      [151, 250],
      [51, 150],
      [1, 50],
    ];
    expect(spans(pages)).toEqual([newest, newest, ...older, ...older]);
    expect(pages.map((page) => page.conversationId === two.id)).toEqual([
      true,
      false,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(pages.map((page) => page.hasMore)).toEqual([true, true, true, true, false, true, true, false]);
  });

  test("gets no more than its receipts have to pass", async () => {
    const { world, bob, chat, reading } = await directSetUp(400, 64);
    await world.lists.write([
      { userId: bob, conversationId: chat.id, kind: "direct", recvSeq: 390, read: { seq: 280, ucount: 280 } },
    ]);
    const { pages } = await syncAll(reading, by(bob, 2), new Map());
    expect(spans(pages)).toEqual([
      [351, 400],
      [281, 350],
    ]);
  });

  test("goes on after a reconnect where it was, by the tail of its cursor", async () => {
    const { bob, chat, reading } = await directSetUp(400, 64);
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 0, tail: [251, 400] }]));
    expect(spans(pages)).toEqual([
      [151, 250],
      [51, 150],
      [1, 50],
    ]);
    expect(Math.max(...seqsOf(pages))).toBe(250);
  });
});

describe("pages", () => {
  test.each([
    ["a device that lacks a little", 180, [100, 80]],
    ["one that lacks much, in the background too", 300, [50, 100, 100, 50]],
  ])("are awaited one by one, so that a slow socket slows the reading down: %s", async (_, rows, expected) => {
    const { bob, chat, reading } = await directSetUp(rows, 64);
    let open = 0;
    const sizes: number[] = [];
    await reading.sync(
      by(bob),
      cursorsOf([chat.id, { seq: 0 }]),
      undefined,
      async (page) => {
        open++;
        expect(open).toBe(1);
        await new Promise<void>((resolve) => setImmediate(resolve));
        sizes.push(page.messages.length);
        open--;
      },
      begun(),
    );
    expect(sizes).toEqual(expected);
  });

  test("hold at most their bytes", async () => {
    const { alice, bob, chat, reading } = await directSetUp(1, 64);
    for (let row = 0; row < 20; row++) await chat.say(alice, { envelope: new Uint8Array(limits.envelopeBytesMax) });
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 1 }]));
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThanOrEqual(limits.pageBytesMax);
    expect(seqsOf(pages)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  });
});

describe("a sync that stops at its bound", () => {
  async function manyChats(count: number, rows: number) {
    const world = createMemoryWorld({ bucketRows: 64 });
    const me = world.user();
    const chats: ConversationFixture[] = [];
    for (let index = 0; index < count; index++) {
      world.clock.advance(1_000);
      const chat = directFixture(world, me, world.user());
      await chat.sayMany(me, rows);
      chats.push(chat);
    }
    return { world, me, chats, reading: readingOn(world) };
  }

  test("goes on with its token until every conversation had its turn, once", async () => {
    const { me, chats, reading } = await manyChats(limits.syncPagesMax * 2 + 10, 1);
    const { pages, calls } = await syncAll(reading, by(me), new Map());
    expect(calls).toBe(3);
    expect(pages.map((page) => page.conversationId)).toEqual(chats.map((chat) => chat.id).toReversed());
  });

  test("a conversation that moves up between two calls is not left out", async () => {
    const { world, me, chats, reading } = await manyChats(limits.syncPagesMax + 10, 2);
    const pages: SyncPage[] = [];
    const take = (page: SyncPage) => Promise.resolve(void pages.push(page));
    const progress = begun();
    const first = await reading.sync(by(me), new Map(), undefined, take, progress);
    const late = chats[0] as ConversationFixture;
    expect(pages.map((page) => page.conversationId)).not.toContain(late.id);
    world.clock.advance(1_000);
    await late.say(me);
    const second = await reading.sync(by(me), new Map(), first.next, take, progress);
    expect(second.next).toBeUndefined();
    expect(seqsOf(pages.filter((page) => page.conversationId === late.id))).toEqual([1, 2, 3]);
    expect(new Set(pages.map((page) => page.conversationId)).size).toBe(chats.length);
  });

  test.each([
    ["with the time of the newest one", 0],
    ["by a clock that is behind", -1],
  ])("a conversation that moves up %s between two calls is not left out", async (_how, offsetMs) => {
    const { world, me, chats, reading } = await manyChats(limits.syncPagesMax + 10, 2);
    const pages: SyncPage[] = [];
    const take = (page: SyncPage) => Promise.resolve(void pages.push(page));
    const progress = begun();
    const first = await reading.sync(by(me), new Map(), undefined, take, progress);
    const late = chats[0] as ConversationFixture;
    world.clock.advance(offsetMs);
    await late.say(me);
    const told = pages.length;
    expect((await reading.sync(by(me), new Map(), first.next, take, progress)).next).toBeUndefined();
    expect(seqsOf(pages.filter((page) => page.conversationId === late.id))).toEqual([1, 2, 3]);
    // Those that had their turn are not repeated.
    expect(pages.length - told).toBe(10);
  });

  test("the background fill goes on at the seq where it stopped", async () => {
    const { me, reading } = await manyChats(50, 450);
    const { pages, calls } = await syncAll(reading, by(me), new Map());
    expect(calls).toBeGreaterThan(1);
    const byChat = Map.groupBy(pages, (page) => page.conversationId);
    for (const own of byChat.values()) expect(new Set(seqsOf(own)).size).toBe(450);
  });

  test.each([
    ["above the others", 1_000],
    ["among the others", 0],
  ])("the background fill of a conversation that moves up %s meanwhile is not left out", async (_how, offsetMs) => {
    const { world, me, chats, reading } = await manyChats(50, 450);
    const late = chats[0] as ConversationFixture;
    const rows = new Set<number>();
    const progress = begun();
    const take = (page: SyncPage): Promise<void> => {
      if (page.conversationId === late.id) for (const row of page.messages) rows.add(row.seq);
      return Promise.resolve();
    };
    let { next } = await reading.sync(by(me), new Map(), undefined, take, progress);
    expect(next).toMatch(/^2/);
    world.clock.advance(offsetMs);
    await late.say(me);
    while (next !== undefined) ({ next } = await reading.sync(by(me), new Map(), next, take, progress));
    expect(rows.size).toBe(451);
  });
});

describe("rows that nobody listed", () => {
  test("are found by the sync, listed for everyone, and looked for only once", async () => {
    const { world, alice, bob, chat, reading } = await directSetUp(2);
    await chat.say(alice, { listed: false });
    await chat.say(bob, { listed: false });
    const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 2 }]));
    expect(seqsOf(pages)).toEqual([3, 4]);
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ lastSeq: 4, ownSeq: 4, checkedSeq: 4 });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ lastSeq: 4, ownSeq: 3 });
    const reads = world.log.calls.readBucket;
    await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 4 }]));
    expect(world.log.calls.readBucket).toBe(reads);
  });

  test("are found by a history page as well", async () => {
    const { world, alice, bob, chat, reading } = await directSetUp(2);
    await chat.say(alice, { listed: false });
    const page = await reading.history(by(bob), chat.id, undefined, 50);
    expect(page.messages.map((row) => row.seq)).toEqual([1, 2, 3]);
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ lastSeq: 3, lastUcount: 3 });
  });

  test("hidden ones are looked for only once, though they never move the list row", async () => {
    const { world, alice, bob, chat, reading } = await directSetUp(2);
    await chat.say(alice, { visibility: 1 });
    await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 2 }]));
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ lastSeq: 2, checkedSeq: 3 });
    const reads = world.log.calls.readBucket;
    await syncAll(reading, by(bob), cursorsOf([chat.id, { seq: 2 }]));
    expect(world.log.calls.readBucket).toBe(reads);
  });

  test("in a group: only the heads of the newest conversations are read again", async () => {
    const world = createMemoryWorld();
    const me = world.user();
    for (let index = 0; index < limits.syncHeadsMax + 10; index++) {
      world.clock.advance(1_000);
      await directFixture(world, me, world.user()).say(me);
    }
    const before = world.log.calls.newestBucket;
    await syncAll(readingOn(world), by(me), new Map());
    expect(world.log.calls.newestBucket - before).toBe(limits.syncHeadsMax);
  });
});

test("whatever a device holds, one sync makes it whole down to where its receipts begin", async () => {
  const world = createMemoryWorld({ bucketRows: 16 });
  const [alice, bob] = [world.user(), world.user()];
  const chat = directFixture(world, alice, bob);
  await chat.sayMany(alice, 320);
  const reading = readingOn(world);
  const seq = fc.integer({ min: 0, max: 320 });
  await fc.assert(
    fc.asyncProperty(seq, seq, seq, fc.boolean(), async (held, one, other, hasTail) => {
      const tail = [Math.max(1, Math.min(one, other)), Math.max(1, one, other)] as [number, number];
      const cursor = { seq: held, ...(hasTail ? { tail } : {}) };
      const { pages } = await syncAll(reading, by(bob), cursorsOf([chat.id, cursor]));
      const sent = seqsOf(pages);
      expect(new Set(sent).size).toBe(sent.length);
      const has = new Set(sent);
      for (let row = 1; row <= 320; row++) {
        const holds = row <= held || (hasTail && row >= tail[0] && row <= tail[1]);
        expect(has.has(row), `row ${row}`).toBe(!holds);
      }
    }),
    { numRuns: 100 },
  );
});
