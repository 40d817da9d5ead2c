import { describe, expect, test } from "vitest";
import { directFixture, groupFixture } from "../../../test/helpers/conversation-fixture.ts";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { fairWeather } from "../../../test/helpers/core-ports/weather.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import type { Caller, ReceiptsApi } from "../api.ts";
import { KnownRows } from "../lists/known-rows.ts";
import { Belief } from "../belief.ts";
import { createMemberIntervals } from "../membership/member-intervals.ts";
import { createReceipts } from "./create-receipts.ts";
import { createGroupStatus } from "./group-status.ts";

const by = (userId: Uuid, device = 1): Caller => ({ userId, device });

function receiptsOn(world: MemoryWorld, known = new KnownRows()): ReceiptsApi {
  const ports = world.ports();
  const intervals = createMemberIntervals(ports.groups, new Belief(ports, Infinity));
  return createReceipts({ ...ports, intervals, groupStatus: createGroupStatus({ ...ports, intervals }), known });
}

async function directSetUp(rows: number) {
  const world = createMemoryWorld();
  const [alice, bob] = [world.user(), world.user()];
  const chat = directFixture(world, alice, bob);
  await chat.sayMany(alice, rows);
  const known = new KnownRows();
  const receipts = receiptsOn(world, known);
  const claim = (from: number, seq: number) => ({ conversationId: chat.id, from, seq });
  return { world, alice, bob, chat, receipts, known, claim };
}

test("a claim on a join that is still being settled is not refused, since a refusal is final for the device", async () => {
  const world = createMemoryWorld();
  const [alice, bob] = [world.user(), world.user()];
  const group = await groupFixture(world, alice);
  const change = { groupId: group.id, messageId: world.id(), since: 1, actorId: alice, actorDevice: 1, at: 1 };
  await world.groups.commit({ ...change, kind: "add", userIds: [bob], expectedVersion: 1 });
  const seq = await group.say(alice, { kind: kinds.system });
  const membership = { seq, joinedSeq: seq, leftSeq: 0, leftUcount: 0 };
  const last = { seq, ucount: 0, sender: alice, at: 1 };
  const row = { userId: bob, conversationId: group.id, kind: "group" as const };
  await world.lists.write([{ ...row, membership, last, recvSeq: seq - 1 }]);
  const claim = { conversationId: group.id, from: seq, seq };
  await expect(receiptsOn(world).delivered(by(bob), claim)).rejects.toMatchObject({ temporary: true });
  await world.groups.settle(group.id, 2, seq);
  expect(await receiptsOn(world).delivered(by(bob), claim)).toMatchObject({ accepted: true });
});

const statusFrames = (world: MemoryWorld) =>
  world.hub.deliveries.map(({ userIds, frame, except }) => ({ userIds, frame, except: except?.device }));

describe("a direct chat", () => {
  test("DELIVERED moves the watermark in all three places and tells the peer", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    const outcome = await receipts.delivered(by(bob), claim(1, 5));
    expect(outcome).toMatchObject({ accepted: true, registers: { recv_seq: 5, read_seq: 0, last_seq: 5 } });
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ recvSeq: 5, readSeq: 0 });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 5, peerReadSeq: 0 });
    expect(await world.receipts.one(chat.id, bob)).toMatchObject({
      recvSeq: 5,
      recvAt: world.clock.nowMs(),
      readSeq: 0,
    });
    expect(statusFrames(world)).toEqual([
      {
        userIds: [alice],
        frame: { type: "STATUS_UPDATE", conversation_id: chat.id, user_id: bob, recv_seq: 5, read_seq: 0 },
        except: 1,
      },
    ]);
  });

  test("READ_RECEIPT tells the peer, and the own other devices what is left unread", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    const outcome = await receipts.read(by(bob, 2), claim(1, 3));
    expect(outcome.registers).toMatchObject({ recv_seq: 3, read_seq: 3, read_ucount: 3, last_ucount: 5 });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 3, peerReadSeq: 3 });
    expect(await world.receipts.one(chat.id, bob)).toMatchObject({ recvSeq: 3, readSeq: 3 });
    const frame = { type: "STATUS_UPDATE", conversation_id: chat.id, user_id: bob, recv_seq: 3, read_seq: 3 };
    expect(statusFrames(world)).toEqual([
      { userIds: [bob], frame: { ...frame, read_ucount: 3 }, except: 2 },
      { userIds: [alice], frame, except: 2 },
    ]);
  });

  test("a run that leaves a hole is refused and answered with the registers", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(60);
    await receipts.delivered(by(bob), claim(1, 4));
    world.hub.deliveries.length = 0;
    const outcome = await receipts.delivered(by(bob, 2), claim(11, 60));
    expect(outcome).toMatchObject({ accepted: false, registers: { recv_seq: 4, last_seq: 60 } });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 4 });
    expect(world.hub.deliveries).toEqual([]);
  });

  test("a seq beyond the head is refused after the head was read anew", async () => {
    const { world, bob, chat, receipts, claim } = await directSetUp(5);
    const before = world.log.calls.newestBucket;
    expect(await receipts.delivered(by(bob), claim(1, 1e12))).toMatchObject({ accepted: false });
    expect(world.log.calls.newestBucket).toBe(before + 1);
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ recvSeq: 0 });
  });

  test("a seq above the list row but in the log is accepted: another process appended it, or it is void", async () => {
    const { alice, bob, chat, receipts, claim } = await directSetUp(2);
    await chat.say(alice, { visibility: 1 });
    await chat.say(alice, { listed: false });
    expect(await receipts.delivered(by(bob), claim(1, 4))).toMatchObject({
      accepted: true,
      registers: { recv_seq: 4 },
    });
  });

  test("a conversation that is not the caller's own is not there", async () => {
    const { world, receipts, claim } = await directSetUp(1);
    await expect(receipts.delivered(by(world.user()), claim(1, 1))).rejects.toMatchObject({
      code: "no_such_conversation",
    });
  });

  test("the own watermark moves last: where it stands, everyone can see it", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    world.receipts.weather = { ...fairWeather(), fails: (operation) => operation === "receipts.write" };
    await expect(receipts.delivered(by(bob), claim(1, 5))).rejects.toMatchObject({ code: "store_unavailable" });
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ recvSeq: 0 });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 0 });
    expect(world.hub.deliveries).toEqual([]);
  });

  test("a receipt is written and pushed again though the list row says it is old: nobody was told of the first attempt", async () => {
    const { world, alice, bob, receipts, claim } = await directSetUp(5);
    world.lists.weather = { ...fairWeather(), fails: (operation) => operation === "lists.write.answer" };
    await expect(receipts.delivered(by(bob), claim(1, 5))).rejects.toMatchObject({ code: "store_unavailable" });
    expect(world.hub.deliveries).toEqual([]);
    world.lists.weather = fairWeather();
    expect(await receipts.delivered(by(bob), claim(1, 5))).toMatchObject({ accepted: true });
    expect(world.hub.deliveries).toMatchObject([{ userIds: [alice] }]);
  });

  test("what another device delivered before is written once, and told again", async () => {
    const { world, alice, bob, receipts, claim } = await directSetUp(5);
    await receipts.delivered(by(bob), claim(1, 5));
    const written: string[] = [];
    const listening = {
      ...fairWeather(),
      fails: (operation: string) => operation.includes("write") && (written.push(operation), false),
    };
    world.lists.weather = listening;
    world.receipts.weather = listening;
    for (const seq of [3, 5]) {
      const outcome = await receipts.delivered(by(bob, 2), claim(1, seq));
      expect(outcome).toMatchObject({ accepted: true, registers: { recv_seq: 5 } });
    }
    expect(written).toEqual([]);
    expect(world.hub.deliveries.map(({ userIds }) => userIds)).toEqual([[alice], [alice], [alice]]);
    await receipts.read(by(bob), claim(1, 5));
    await receipts.read(by(bob), claim(1, 5));
    expect(written).not.toEqual([]);
  });

  test("what a send marked as read is told to the peer by the receipt that follows", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    await world.lists.write([{ userId: bob, conversationId: chat.id, kind: "direct", read: { seq: 5, ucount: 5 } }]);
    expect(await receipts.read(by(bob), claim(1, 5))).toMatchObject({ accepted: true });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerReadSeq: 5 });
    expect(await world.receipts.one(chat.id, bob)).toMatchObject({ readSeq: 5 });
  });

  test("an old receipt never lowers a watermark", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    await receipts.read(by(bob), claim(1, 5));
    const outcome = await receipts.read(by(bob), claim(1, 2));
    expect(outcome).toMatchObject({ accepted: true, registers: { read_seq: 5, read_ucount: 5 } });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerReadSeq: 5 });
  });

  /** Names of what the stores are asked from now on. */
  function listenTo(world: MemoryWorld): string[] {
    const asked: string[] = [];
    const listening = {
      ...fairWeather(),
      fails: (operation: string) => !operation.endsWith(".answer") && (asked.push(operation), false),
    };
    for (const store of [world.lists, world.log, world.receipts, world.users, world.groups]) store.weather = listening;
    return asked;
  }

  test("the first DELIVERED costs one list read and no read of the log", async () => {
    const { world, bob, receipts, claim } = await directSetUp(5);
    const asked = listenTo(world);
    await receipts.delivered(by(bob), claim(1, 5));
    expect(asked.sort()).toEqual(["lists.one", "lists.write", "receipts.write"]);
  });

  test("those that follow read nothing, once the message was heard of; that of another device is only told", async () => {
    const { world, alice, bob, chat, receipts, known, claim } = await directSetUp(5);
    await receipts.delivered(by(bob), claim(1, 5));
    known.heard(chat.id, await chat.say(alice));
    const asked = listenTo(world);
    expect(await receipts.delivered(by(bob), claim(6, 6))).toMatchObject({
      accepted: true,
      registers: { recv_seq: 6 },
    });
    expect(asked.splice(0).sort()).toEqual(["lists.write", "receipts.write"]);
    expect(await receipts.delivered(by(bob, 2), claim(6, 6))).toMatchObject({ accepted: true });
    expect(asked).toEqual([]);
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ recvSeq: 6 });
  });

  test("what is remembered never refuses: another process may have moved the watermark and appended", async () => {
    const { alice, bob, chat, receipts, claim, world } = await directSetUp(5);
    await receipts.delivered(by(bob), claim(1, 2));
    await chat.say(alice);
    await receiptsOn(world).delivered(by(bob, 2), claim(3, 5));
    expect(await receipts.delivered(by(bob), claim(6, 6))).toMatchObject({
      accepted: true,
      registers: { recv_seq: 6 },
    });
    expect(await receipts.delivered(by(bob), claim(7, 7))).toMatchObject({ accepted: false });
  });

  test("a write that failed is not remembered: the next receipt writes again", async () => {
    const { world, alice, bob, chat, receipts, known, claim } = await directSetUp(5);
    await receipts.delivered(by(bob), claim(1, 5));
    known.heard(chat.id, await chat.say(alice));
    world.lists.weather = { ...fairWeather(), fails: (operation) => operation === "lists.write" };
    await expect(receipts.delivered(by(bob), claim(6, 6))).rejects.toMatchObject({ code: "store_unavailable" });
    world.lists.weather = fairWeather();
    expect(await receipts.delivered(by(bob, 2), claim(6, 6))).toMatchObject({ accepted: true });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 6 });
  });

  test("the unread count at a seq between the ends is read from its row", async () => {
    const { alice, bob, chat, receipts, claim } = await directSetUp(2);
    await chat.say(alice, { kind: kinds.reaction });
    await chat.say(alice);
    expect((await receipts.read(by(bob), claim(1, 3))).registers).toMatchObject({
      read_seq: 3,
      read_ucount: 2,
      last_ucount: 3,
    });
  });

  test("notes to oneself: one row holds both sides", async () => {
    const world = createMemoryWorld();
    const alice = world.user();
    const notes = directFixture(world, alice, alice);
    await notes.sayMany(alice, 2);
    const outcome = await receiptsOn(world).read(by(alice), { conversationId: notes.id, from: 1, seq: 2 });
    expect(outcome.registers).toMatchObject({ recv_seq: 2, read_seq: 2, peer_recv_seq: 2, peer_read_seq: 2 });
  });
});

describe("read receipts off", () => {
  test.each([
    ["the reader", true],
    ["the peer", false],
  ])("by %s: nobody else learns what was read, own devices do", async (_, offByReader) => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    await world.users.update(offByReader ? bob : alice, {}, { readReceipts: false });
    const outcome = await receipts.read(by(bob), claim(1, 5));
    expect(outcome.registers).toMatchObject({ read_seq: 5, read_ucount: 5 });
    expect(world.lists.rowOf(bob, chat.id)).toMatchObject({ readSeq: 5, readUcount: 5 });
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerRecvSeq: 5, peerReadSeq: 0 });
    expect(await world.receipts.one(chat.id, bob)).toMatchObject({ recvSeq: 5, readSeq: 0 });
    expect(
      statusFrames(world).map(({ userIds, frame }) => [userIds, (frame as { read_seq: number }).read_seq]),
    ).toEqual([
      [[bob], 5],
      [[alice], 0],
    ]);
  });

  test("what was read while they were off stays untold after they are on again", async () => {
    const { world, alice, bob, chat, receipts, claim } = await directSetUp(5);
    await world.users.update(bob, {}, { readReceipts: false });
    await receipts.read(by(bob), claim(1, 5));
    await world.users.update(bob, {}, { readReceipts: true });
    await receipts.read(by(bob), claim(1, 2));
    expect(world.lists.rowOf(alice, chat.id)).toMatchObject({ peerReadSeq: 2 });
    expect(world.hub.deliveries.at(-1)?.frame).toMatchObject({ user_id: bob, read_seq: 2 });
  });

  test("in a group: not written for the member, and not shown to one who gives none", async () => {
    const world = createMemoryWorld();
    const [alice, bob, carol] = [world.user(), world.user(), world.user()];
    const group = await groupFixture(world, alice, bob, carol);
    await group.say(alice);
    const receipts = receiptsOn(world);
    await world.users.update(bob, {}, { readReceipts: false });
    for (const userId of [bob, carol]) await receipts.read(by(userId), { conversationId: group.id, from: 1, seq: 2 });
    expect(await receipts.page(by(alice), group.id, 2)).toMatchObject({ count: { total: 2, delivered: 2, read: 1 } });
    const forBob = await receipts.page(by(bob), group.id, undefined);
    expect(forBob.members.map((member) => member.readSeq)).toEqual([0, 0, 0]);
  });
});

describe("a group", () => {
  async function groupSetUp(membersCount: number) {
    const world = createMemoryWorld({ bucketRows: limits.bucketRows });
    const members = Array.from({ length: membersCount }, () => world.user());
    const group = await groupFixture(world, ...members);
    const receipts = receiptsOn(world);
    const confirm = (userId: Uuid, from: number, seq: number) =>
      receipts.delivered(by(userId), { conversationId: group.id, from, seq });
    const settleTimers = async (): Promise<void> => {
      world.clock.advance(limits.groupUpdateCoalesceMs);
      for (let turn = 0; turn < 500; turn++) await Promise.resolve();
    };
    return { world, members, group, receipts, confirm, settleTimers };
  }

  test("everyone confirming one message is one frame each to its sender, after the coalescing time", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(40);
    const [sender, ...others] = members as [Uuid, ...Uuid[]];
    const seq = await group.say(sender);
    for (const userId of others) await confirm(userId, 1, seq);
    expect(world.hub.deliveries).toEqual([]);
    const reads = world.log.calls.readBucket;
    await settleTimers();
    expect(world.hub.deliveries).toHaveLength(39);
    expect(new Set(world.hub.deliveries.flatMap((delivery) => delivery.userIds))).toEqual(new Set([sender]));
    expect(world.log.calls.readBucket).toBe(reads + 1);
  });

  test("a thousand at once reach the sender in turns, or they would fill its send queue", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(2 * limits.groupStatusFramesMax + 10);
    const [sender, ...others] = members as [Uuid, ...Uuid[]];
    const seq = await group.say(sender);
    for (const userId of others) await confirm(userId, 1, seq);
    const told: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await settleTimers();
      told.push(world.hub.deliveries.length);
    }
    expect(told).toEqual([limits.groupStatusFramesMax, 2 * limits.groupStatusFramesMax, others.length, others.length]);
  });

  test("receipts of one member within the time become one frame with the highest watermark", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(3);
    const [alice, bob] = members as [Uuid, Uuid];
    await group.say(alice);
    await confirm(bob, 1, 2);
    await group.say(alice);
    await confirm(bob, 3, 3);
    await settleTimers();
    expect(world.hub.deliveries.map((delivery) => delivery.frame)).toMatchObject([{ user_id: bob, recv_seq: 3 }]);
  });

  test("each receipt goes to the senders of the rows it newly covers and to no one else", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(4);
    const [alice, bob, carol] = members as [Uuid, Uuid, Uuid];
    await group.say(alice);
    await confirm(carol, 1, 2);
    await settleTimers();
    world.hub.deliveries.length = 0;
    await group.say(bob);
    await group.say(carol);
    await confirm(carol, 3, 4);
    await settleTimers();
    expect(world.hub.deliveries.map((delivery) => delivery.userIds)).toEqual([[bob]]);
  });

  test("one run over rows of many senders reaches only the newest of them", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(20);
    const [reader, ...others] = members as [Uuid, ...Uuid[]];
    for (const userId of others) await group.say(userId);
    await confirm(reader, 1, 20);
    await settleTimers();
    expect(world.hub.deliveries).toHaveLength(1);
    expect(world.hub.deliveries[0]?.userIds).toEqual(others.slice(-limits.groupStatusTargetsMax).toReversed());
  });

  test("a sender who left hears nothing more", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(3);
    const [alice, bob, carol] = members as [Uuid, Uuid, Uuid];
    await group.say(bob);
    await group.remove(bob);
    await confirm(carol, 1, 2);
    await settleTimers();
    expect(world.hub.deliveries.map((delivery) => delivery.userIds)).toEqual([[alice]]);
  });

  test("a store that fails while telling loses the push and nothing else", async () => {
    const { world, members, group, confirm, settleTimers } = await groupSetUp(3);
    const [alice, bob, carol] = members as [Uuid, Uuid, Uuid];
    await group.say(alice);
    await confirm(bob, 1, 2);
    world.log.weather = { ...fairWeather(), fails: () => true };
    await settleTimers();
    expect(world.hub.deliveries).toEqual([]);
    world.log.weather = fairWeather();
    await confirm(carol, 1, 2);
    await settleTimers();
    expect(world.hub.deliveries).toMatchObject([{ userIds: [alice], frame: { user_id: carol } }]);
  });

  test("a newcomer confirms from its join on, and cannot claim what it could not read", async () => {
    const { world, group, confirm, members } = await groupSetUp(2);
    await group.say(members[0] as Uuid);
    const late = world.user();
    const joined = await group.add(late);
    expect(await confirm(late, 1, joined - 1)).toMatchObject({ accepted: false });
    expect(await confirm(late, joined, joined)).toMatchObject({ accepted: true, registers: { recv_seq: joined } });
  });

  test("one who left confirms what came before and nothing after; one who returned passes over the gap", async () => {
    const { members, group, confirm } = await groupSetUp(3);
    const [alice, bob] = members as [Uuid, Uuid];
    await group.say(alice);
    const removed = await group.remove(bob);
    const unseen = await group.say(alice);
    expect(await confirm(bob, 1, unseen)).toMatchObject({ accepted: false });
    expect(await confirm(bob, 1, removed)).toMatchObject({ accepted: true });
    const returned = await group.add(bob);
    expect(await confirm(bob, removed + 1, unseen)).toMatchObject({ accepted: false });
    expect(await confirm(bob, removed + 1, returned)).toMatchObject({
      accepted: true,
      registers: { recv_seq: returned },
    });
  });
});

describe("who got it, who read it", () => {
  test("counts members by watermark from one read of the partition", async () => {
    const world = createMemoryWorld();
    const [alice, bob, carol, dave] = [world.user(), world.user(), world.user(), world.user()];
    const group = await groupFixture(world, alice, bob, carol, dave);
    const seq = await group.say(alice);
    const receipts = receiptsOn(world);
    await receipts.delivered(by(bob), { conversationId: group.id, from: 1, seq });
    await receipts.read(by(carol), { conversationId: group.id, from: 1, seq });
    const asked: string[] = [];
    world.receipts.weather = {
      ...fairWeather(),
      fails: (operation) => !operation.endsWith(".answer") && (asked.push(operation), false),
    };
    const page = await receipts.page(by(alice), group.id, seq);
    expect(page.count).toEqual({ total: 3, delivered: 2, read: 1 });
    expect(asked).toEqual(["receipts.all"]);
    expect(page.members.find((member) => member.userId === carol)).toMatchObject({
      recvSeq: seq,
      readSeq: seq,
      readAt: world.clock.nowMs(),
      joinedSeq: 1,
      leftSeq: 0,
    });
  });

  test("is for members only; one who left sees the state up to the own end", async () => {
    const world = createMemoryWorld();
    const [alice, bob, carol] = [world.user(), world.user(), world.user()];
    const group = await groupFixture(world, alice, bob, carol);
    const removed = await group.remove(carol);
    const later = await group.say(alice);
    const receipts = receiptsOn(world);
    await receipts.delivered(by(bob), { conversationId: group.id, from: 1, seq: later });
    const page = await receipts.page(by(carol), group.id, undefined);
    expect(page.members.find((member) => member.userId === bob)).toMatchObject({ recvSeq: removed, recvAt: 0 });
    await expect(receipts.page(by(world.user()), group.id, undefined)).rejects.toMatchObject({
      code: "no_such_conversation",
    });
  });

  test("a direct message that its recipient never sees is delivered to nobody, though the watermark passes over it", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const chat = directFixture(world, alice, bob);
    await chat.say(alice);
    const hidden = await chat.say(alice, { visibility: 1 });
    await chat.say(alice);
    const receipts = receiptsOn(world);
    await receipts.read(by(bob), { conversationId: chat.id, from: 1, seq: 3 });
    expect((await receipts.page(by(alice), chat.id, 1)).count).toEqual({ total: 1, delivered: 1, read: 1 });
    expect((await receipts.page(by(alice), chat.id, hidden)).count).toEqual({ total: 1, delivered: 0, read: 0 });
  });
});
