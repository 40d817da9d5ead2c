import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import type { GroupRequest } from "../api.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let cat: Uuid;
let dan: Uuid;
let groupId: Uuid;

beforeEach(async () => {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather });
  core = createDeliveryCore(world);
  ann = world.user();
  bob = world.user();
  cat = world.user();
  dan = world.user();
  groupId = world.id();
  await change(ann, 0, { kind: "create", name: "team", userIds: [bob, cat] });
  world.hub.deliveries.length = 0;
});

const change = (actor: Uuid, version: number, request: GroupRequest, messageId = world.id()) =>
  core.groups.change(caller(actor), groupId, messageId, version, request);
const say = (from: Uuid, since: number, server = core, more = {}) =>
  server.delivery.send(
    caller(from),
    server.delivery.createGate(),
    textDraft(world, { conversation: groupId }, since, more),
  );
const bodies = () =>
  world.log
    .rowsOf(groupId)
    .filter((row) => row.kind === kinds.system)
    .map((row) => (JSON.parse(new TextDecoder().decode(row.envelope)) as { body: { change: string } }).body);

describe("creating a group", () => {
  test("starts its log with a system row, lists it for everyone, and opens their intervals there", async () => {
    const group = await core.groups.get(caller(bob), groupId);
    expect(group).toMatchObject({ name: "team", creatorId: ann, membership: 1 });
    expect(group.members.map((member) => [member.userId, member.role, member.joinedSeq])).toEqual([
      [ann, "owner", 1],
      [bob, "member", 1],
      [cat, "member", 1],
    ]);
    expect(world.log.rowsOf(groupId)).toMatchObject([{ seq: 1, kind: kinds.system, senderId: ann, ucount: 0 }]);
    expect(bodies()).toEqual([{ change: "create", actor: ann, users: [bob, cat], name: "team", membership: 1 }]);
    for (const userId of [ann, bob, cat]) {
      const row = world.lists.rowOf(userId, groupId);
      expect(row).toMatchObject({ kind: "group", joinedSeq: 1, leftSeq: 0, lastSeq: 1, readSeq: 0, recvSeq: 0 });
    }
    expect(await core.groups.ofUser(caller(cat))).toEqual([groupId]);
  });

  test("is the same thing when it is asked for again, by message or by group", async () => {
    const again: GroupRequest = { kind: "create", name: "team", userIds: [bob, cat] };
    expect(await change(ann, 0, again)).toMatchObject({ membership: 1 });
    expect(world.log.rowsOf(groupId)).toHaveLength(1);
    await expect(change(bob, 0, again)).rejects.toMatchObject({ code: "id_conflict" });
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ["with the id of a direct chat", "bad_request", () => create(directConversationId(ann, bob), [bob])],
    ["without a name", "bad_request", () => create(world.id(), [bob], "  ")],
    ["with somebody who does not exist", "no_such_user", () => create(world.id(), [bob, world.id()])],
    ["that is too large", "too_many_members", () => create(world.id(), crowd(limits.membersPerGroupMax))],
  ])("%s is refused", async (_, code, created) => {
    await expect(created()).rejects.toMatchObject({ code, temporary: false });
  });

  test("takes as many members as a group may have", async () => {
    const group = await create(world.id(), crowd(limits.membersPerGroupMax - 1));
    expect(group.members).toHaveLength(limits.membersPerGroupMax);
  });

  const crowd = (size: number): Uuid[] => Array.from({ length: size }, () => world.user());
  const create = (id: Uuid, userIds: Uuid[], name = "more") =>
    core.groups.change(caller(ann), id, world.id(), 0, { kind: "create", name, userIds });
});

describe("members who come", () => {
  test("read from their own arrival on, with everything before it received and read", async () => {
    await say(ann, 1);
    await say(bob, 2);
    const group = await change(ann, 1, { kind: "add", userIds: [dan] });
    expect(group.members.find((member) => member.userId === dan)).toEqual({
      userId: dan,
      role: "member",
      joinedSeq: 4,
    });
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({
      joinedSeq: 4,
      membershipSeq: 4,
      lastSeq: 4,
      lastUcount: 2,
      recvSeq: 3,
      readSeq: 3,
      readUcount: 2,
    });
    expect(await world.groups.intervals(groupId, dan)).toEqual([{ userId: dan, joinedSeq: 4, leftSeq: 0 }]);
    expect(await say(dan, 4)).toMatchObject({ seq: 5 });
  });

  test("hear of it with everybody else, the one who added them too", async () => {
    world.hub.notices.length = 0;
    await change(ann, 1, { kind: "add", userIds: [dan] });
    const told = world.hub.deliveries.map(({ userIds, frame }) => [
      frame.type === "CONVERSATION_UPDATE" ? frame.change : frame.type,
      new Set(userIds),
    ]);
    expect(told).toEqual([
      ["created", new Set([dan])],
      ["members", new Set([ann, bob, cat])],
      ["NEW_MESSAGE", new Set([ann, bob, cat, dan])],
    ]);
    expect(world.hub.deliveries.every((delivery) => delivery.except === undefined)).toBe(true);
    expect(world.hub.notices).toEqual([{ notice: "group_changed", groupId, version: 2 }]);
  });

  test("are asked by their privacy settings", async () => {
    await world.users.update(dan, {}, { groups: "contacts" });
    await expect(change(ann, 1, { kind: "add", userIds: [dan] })).rejects.toMatchObject({ code: "privacy_refused" });
    await world.relations.putContact(dan, { userId: ann, name: "" });
    await expect(change(ann, 1, { kind: "add", userIds: [dan] })).resolves.toMatchObject({ membership: 2 });
    const eve = world.user();
    await world.relations.putBlock(eve, ann, true);
    await expect(change(ann, 2, { kind: "add", userIds: [eve] })).rejects.toMatchObject({ code: "privacy_refused" });
    await world.users.update(eve, {}, { groups: "nobody" });
    await world.relations.putBlock(eve, ann, false);
    await world.relations.putContact(eve, { userId: ann, name: "" });
    await expect(change(ann, 2, { kind: "add", userIds: [eve] })).rejects.toMatchObject({ code: "privacy_refused" });
  });

  test("twice are added once, and nothing is written for those who are there", async () => {
    await change(ann, 1, { kind: "add", userIds: [dan, dan, bob] });
    expect(bodies()[1]).toMatchObject({ users: [dan] });
    expect(await change(ann, 2, { kind: "add", userIds: [dan, bob] })).toMatchObject({ membership: 2 });
    expect(world.log.rowsOf(groupId)).toHaveLength(2);
  });

  test("are turned away when the group is full", async () => {
    const more = Array.from({ length: limits.membersPerGroupMax - 2 }, () => world.user());
    await expect(change(ann, 1, { kind: "add", userIds: more })).rejects.toMatchObject({ code: "too_many_members" });
    await expect(change(ann, 1, { kind: "add", userIds: more.slice(1) })).resolves.toMatchObject({ membership: 2 });
  });
});

describe("members who go", () => {
  test("see their own removal and nothing after it, and may not write", async () => {
    await say(bob, 1);
    await change(ann, 1, { kind: "remove", userIds: [bob] });
    expect(world.hub.deliveries.slice(-3).map(({ userIds, frame }) => [userIds.includes(bob), frame.type])).toEqual([
      [false, "CONVERSATION_UPDATE"],
      [true, "CONVERSATION_UPDATE"],
      [true, "NEW_MESSAGE"],
    ]);
    world.hub.deliveries.length = 0;
    await say(ann, 3);
    expect(world.hub.deliveries[0]?.userIds).toEqual([ann, cat]);
    expect(world.lists.rowOf(bob, groupId)).toMatchObject({ joinedSeq: 1, leftSeq: 4, leftUcount: 1, lastSeq: 3 });
    expect(await world.groups.intervals(groupId, bob)).toEqual([{ userId: bob, joinedSeq: 1, leftSeq: 4 }]);
    await expect(say(bob, 3)).rejects.toMatchObject({ code: "not_a_member", temporary: false });
    await expect(core.groups.get(caller(bob), groupId)).rejects.toMatchObject({ code: "not_a_member" });
  });

  test("are told where their reading ends, and, when they come back, that it goes on", async () => {
    await change(ann, 1, { kind: "remove", userIds: [bob] });
    await change(cat, 2, { kind: "leave" });
    await change(ann, 3, { kind: "add", userIds: [bob, dan] });
    const told = world.hub.deliveries.flatMap(({ userIds, frame }) =>
      frame.type === "CONVERSATION_UPDATE" && frame.change !== "members"
        ? [[userIds, frame.change, frame.registers?.joined_seq, frame.registers?.left_seq, frame.registers?.last_seq]]
        : [],
    );
    expect(told).toEqual([
      [[bob], "left", 1, 3, 2],
      [[cat], "left", 1, 4, 3],
      [[dan], "created", undefined, undefined, undefined],
      [[bob], "created", 4, 0, 4],
    ]);
  });

  test("are told that they are out also when their list cannot be read", async () => {
    weather.during.set("log.append", () => void weather.failing.add("lists.one"));
    await change(ann, 1, { kind: "remove", userIds: [bob] });
    const frames = world.hub.deliveries.filter(({ userIds }) => userIds.includes(bob)).map(({ frame }) => frame);
    expect(frames).toMatchObject([
      { type: "CONVERSATION_UPDATE", change: "left" },
      { type: "NEW_MESSAGE", seq: 2 },
    ]);
    expect(frames[0]).not.toHaveProperty("registers");
  });

  test("and come back have two intervals and a row that starts anew", async () => {
    await change(bob, 1, { kind: "leave" });
    await say(ann, 2);
    await change(ann, 2, { kind: "add", userIds: [bob] });
    expect(await world.groups.intervals(groupId, bob)).toMatchObject([
      { joinedSeq: 1, leftSeq: 3 },
      { joinedSeq: 4, leftSeq: 0 },
    ]);
    expect(world.lists.rowOf(bob, groupId)).toMatchObject({
      joinedSeq: 4,
      leftSeq: 0,
      lastSeq: 4,
      recvSeq: 3,
      readSeq: 3,
    });
    expect(await say(bob, 4)).toMatchObject({ seq: 5 });
  });

  test("get the answer to what they wrote before, whatever happened since", async () => {
    const draft = textDraft(world, { conversation: groupId }, 1);
    const sent = await core.delivery.send(caller(bob), core.delivery.createGate(), draft);
    await change(ann, 1, { kind: "remove", userIds: [bob] });
    for (const server of [core, createDeliveryCore(world)]) {
      expect(await server.delivery.send(caller(bob), server.delivery.createGate(), draft)).toEqual(sent);
    }
    expect(world.lists.rowOf(bob, groupId)).toMatchObject({ lastSeq: 3, leftSeq: 4 });
  });

  test("leave the group to the oldest admin, and the last one leaves it empty", async () => {
    await change(ann, 1, { kind: "role", userIds: [cat], role: "admin" });
    await change(ann, 2, { kind: "leave" });
    expect(bodies().slice(2)).toMatchObject([
      { change: "role", users: [cat], role: "owner" },
      { change: "leave", users: [ann] },
    ]);
    expect((await core.groups.get(caller(cat), groupId)).members.map((member) => member.role)).toEqual([
      "member",
      "owner",
    ]);
    await change(cat, 4, { kind: "leave" });
    expect(await change(bob, 6, { kind: "leave" })).toMatchObject({ membership: 7, members: [] });
    await expect(core.groups.get(caller(bob), groupId)).rejects.toMatchObject({ code: "not_a_member" });
  });
});

describe("a change", () => {
  test("of a group that moved on is refused for good", async () => {
    await change(ann, 1, { kind: "rename", name: "crew" });
    await expect(change(ann, 1, { kind: "leave" })).rejects.toMatchObject({
      code: "version_conflict",
      temporary: false,
    });
    await expect(change(ann, 9, { kind: "leave" })).rejects.toMatchObject({ code: "version_conflict" });
    await expect(change(dan, 1, { kind: "leave" })).rejects.toMatchObject({ code: "not_a_member" });
    expect(world.groups.changesOf(groupId)).toHaveLength(2);
  });

  test("is the same when it is repeated, even by one who left with it", async () => {
    const messageId = world.id();
    await change(bob, 1, { kind: "leave" }, messageId);
    expect(await change(bob, 1, { kind: "leave" }, messageId)).toMatchObject({ membership: 2 });
    await expect(change(cat, 1, { kind: "leave" }, messageId)).rejects.toMatchObject({ code: "id_conflict" });
    expect(world.log.rowsOf(groupId)).toHaveLength(2);
  });

  test("that changes nothing is none", async () => {
    await change(ann, 1, { kind: "rename", name: "team" });
    await change(ann, 1, { kind: "remove", userIds: [dan] });
    await change(ann, 1, { kind: "role", userIds: [bob], role: "member" });
    expect(world.groups.changesOf(groupId)).toHaveLength(1);
    await expect(change(ann, 1, { kind: "role", userIds: [dan], role: "admin" })).rejects.toMatchObject({
      code: "not_a_member",
    });
  });

  test("of the name is told as such", async () => {
    expect(await change(ann, 1, { kind: "rename", name: " crew " })).toMatchObject({ name: "crew", membership: 2 });
    expect(world.hub.deliveries[0]).toMatchObject({
      userIds: [ann, bob, cat],
      frame: { type: "CONVERSATION_UPDATE", change: "renamed", name: "crew", membership: 2 },
    });
  });

  test("of a group that never was is refused", async () => {
    const other = core.groups.change(caller(ann), world.id(), world.id(), 1, { kind: "leave" });
    await expect(other).rejects.toMatchObject({ code: "no_such_conversation" });
    await expect(core.groups.get(caller(ann), world.id())).rejects.toMatchObject({ code: "no_such_conversation" });
  });

  test("whose commit may or may not have happened is undecided", async () => {
    const messageId = world.id();
    weather.failing.add("groups.commit.answer");
    await expect(change(ann, 1, { kind: "rename", name: "crew" }, messageId)).rejects.toMatchObject({
      code: "store_unavailable",
      undecided: true,
    });
    weather.failing.clear();
    expect(await change(ann, 1, { kind: "rename", name: "crew" }, messageId)).toMatchObject({ membership: 2 });
  });
});

describe("a message to a group", () => {
  test("is listed for every member and goes to their devices", async () => {
    await say(bob, 1);
    expect(world.hub.deliveries).toMatchObject([{ userIds: [ann, bob, cat], except: { userId: bob, device: 1 } }]);
    expect(world.lists.rowOf(cat, groupId)).toMatchObject({ lastSeq: 2, lastSender: bob, lastUcount: 1, ownSeq: 0 });
    expect(world.lists.rowOf(bob, groupId)).toMatchObject({ lastSeq: 2, ownSeq: 2 });
  });

  test("is seen by those who blocked its sender: groups ignore blocks", async () => {
    await world.relations.putBlock(cat, bob, true);
    await say(bob, 1);
    expect(world.lists.rowOf(cat, groupId)).toMatchObject({ lastSeq: 2 });
  });

  test("takes the sender's read_seq along only inside the own interval", async () => {
    await say(ann, 1, core, { readFrom: 1, read: 1 });
    expect(world.lists.rowOf(ann, groupId)).toMatchObject({ readSeq: 2, readUcount: 1 });
    await change(ann, 1, { kind: "add", userIds: [dan] });
    await say(dan, 3, core, { readFrom: 1, read: 3 });
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({ readSeq: 4, readUcount: 2 });
  });
});
