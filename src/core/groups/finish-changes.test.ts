import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import type { AppendFate } from "../../../test/helpers/core-ports/weather.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import type { GroupRequest } from "../api.ts";
import { recoverGroups } from "./recover-groups.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let dan: Uuid;
let groupId: Uuid;

beforeEach(async () => {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather });
  core = createDeliveryCore(world, { deaf: true });
  [ann, bob, dan] = [world.user(), world.user(), world.user()];
  groupId = world.id();
  await change({ kind: "create", name: "team", userIds: [bob] }, 0);
});

const change = (request: GroupRequest, version: number, server = core) =>
  server.groups.change(caller(ann), groupId, world.id(), version, request);
const say = (from: Uuid, since: number, server = core) =>
  server.delivery.send(caller(from), server.delivery.createGate(), textDraft(world, { conversation: groupId }, since));

/** A change whose server dies where the next such operation begins. */
async function changeAndDie(request: GroupRequest, version: number, operation: string): Promise<void> {
  weather.during.set(operation, () => new Promise(() => undefined));
  void change(request, version, createDeliveryCore(world, { deaf: true }));
  await new Promise(setImmediate);
  expect(weather.during.size).toBe(0);
}

test("a change whose settling gets no answer is told all the same: nobody may have anything left to finish", async () => {
  weather.failing.add("groups.settle.answer");
  world.hub.deliveries.length = 0;
  await expect(change({ kind: "remove", userIds: [bob] }, 1)).rejects.toMatchObject({ undecided: true });
  weather.failing.clear();
  expect(await world.groups.pending(groupId, 9)).toEqual([]);
  const told = world.hub.deliveries.filter(({ frame }) => frame.type === "NEW_MESSAGE");
  expect(told.some(({ userIds }) => userIds.includes(bob))).toBe(true);
});

test("rows that a dead server left unlisted are listed before a change stands on top of them", async () => {
  await say(ann, 1);
  weather.fates.push("applied");
  weather.during.set("log.newest.serial", () => new Promise(() => undefined));
  void say(bob, 2, createDeliveryCore(world, { deaf: true }));
  await new Promise(setImmediate);
  expect(world.lists.rowOf(bob, groupId)).toMatchObject({ lastSeq: 2, ownSeq: 0 });
  await change({ kind: "remove", userIds: [bob] }, 1, createDeliveryCore(world));
  expect(world.lists.rowOf(bob, groupId)).toMatchObject({ lastSeq: 4, ownSeq: 3 });
});

const stages = [
  ["the system row", "log.append"],
  ["the change is settled", "groups.settle"],
] as const;

describe.each(stages)("a server that dies before %s", (_, operation) => {
  test("leaves a newcomer who reads nothing yet, until the next message finishes it", async () => {
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, operation);
    expect(await world.groups.intervals(groupId, dan)).toEqual([{ userId: dan, joinedSeq: 0, leftSeq: 0 }]);
    expect(await say(bob, 1, createDeliveryCore(world))).toMatchObject({ seq: 3 });
    expect(await world.groups.intervals(groupId, dan)).toEqual([{ userId: dan, joinedSeq: 2, leftSeq: 0 }]);
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({ joinedSeq: 2, lastSeq: 3, recvSeq: 1, readSeq: 1 });
    expect(world.log.headOf(groupId)?.membership).toBe(2);
    expect(world.log.rowsOf(groupId)).toHaveLength(3);
  });

  test("leaves a removed member who cannot write any more, once somebody looks", async () => {
    await changeAndDie({ kind: "remove", userIds: [bob] }, 1, operation);
    await expect(say(bob, 1, createDeliveryCore(world))).rejects.toMatchObject({ code: "not_a_member" });
    expect(await world.groups.intervals(groupId, bob)).toEqual([{ userId: bob, joinedSeq: 1, leftSeq: 3 }]);
  });

  test("is cleaned up after at the next start", async () => {
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, operation);
    await recoverGroups(createDeliveryCore(world).lanes);
    expect(await world.groups.pending(undefined, 10)).toEqual([]);
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({ joinedSeq: 2, lastSeq: 2 });
    expect(world.log.rowsOf(groupId)).toHaveLength(2);
  });

  test("is cleaned up after when the group is first read", async () => {
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, operation);
    const group = await createDeliveryCore(world).groups.get(caller(dan), groupId);
    expect(group.members.at(-1)).toMatchObject({ userId: dan, joinedSeq: 2 });
  });

  test("may be finished by two at once", async () => {
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, operation);
    const [one, other] = [createDeliveryCore(world), createDeliveryCore(world)];
    await Promise.all([recoverGroups(one.lanes), recoverGroups(other.lanes), say(bob, 1, core)]);
    const rows = world.log.rowsOf(groupId).filter((row) => row.kind === kinds.system);
    expect(rows).toHaveLength(2);
    expect(await world.groups.intervals(groupId, dan)).toMatchObject([{ joinedSeq: rows[1]?.seq, leftSeq: 0 }]);
  });
});

describe("an old view of a group", () => {
  test("cannot miss a newcomer", async () => {
    await say(bob, 1);
    await change({ kind: "add", userIds: [dan] }, 1, createDeliveryCore(world));
    expect(await say(bob, 2)).toMatchObject({ seq: 4 });
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({ lastSeq: 4 });
    expect(world.hub.deliveries.at(-1)?.userIds).toContain(dan);
  });

  test("cannot let a removed member write", async () => {
    await say(bob, 1);
    await change({ kind: "remove", userIds: [bob] }, 1, createDeliveryCore(world));
    await expect(say(bob, 2)).rejects.toMatchObject({ code: "not_a_member" });
    expect(world.log.rowsOf(groupId)).toHaveLength(3);
  });

  test("does not turn a newcomer away", async () => {
    await say(bob, 1);
    await change({ kind: "add", userIds: [dan] }, 1, createDeliveryCore(world));
    expect(await core.groups.get(caller(dan), groupId)).toMatchObject({ membership: 2 });
  });

  test("does not refuse what a newcomer writes", async () => {
    await say(bob, 1);
    await change({ kind: "add", userIds: [dan] }, 1, createDeliveryCore(world));
    expect(await say(dan, 2)).toMatchObject({ seq: 4 });
  });

  test("is not taken for settled while a join is still being settled elsewhere", async () => {
    const other = createDeliveryCore(world);
    const load = world.groups.load.bind(world.groups);
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, "groups.settle");
    // Read before the other server settles it, so that nothing is pending afterwards.
    world.groups.load = async (id) => {
      world.groups.load = load;
      const group = await load(id);
      await world.groups.settle(groupId, 2, 2);
      return group;
    };
    const group = await other.groups.get(caller(dan), groupId);
    expect(group.members.every((member) => member.joinedSeq > 0)).toBe(true);
  });
});

describe("the system row of a change", () => {
  test.each<[AppendFate, boolean]>([
    ["lost", true],
    ["applied", true],
    ["applied_in_part", true],
    ["late", true],
    ["late", false],
  ])("whose append stays open (%s, settled as done: %s) stands in the log once", async (fate, settles) => {
    weather.settles = settles;
    weather.kept.push(false, true, false);
    weather.fates.push(fate);
    expect(await change({ kind: "add", userIds: [dan] }, 1)).toMatchObject({ membership: 2 });
    expect(world.log.rowsOf(groupId)).toHaveLength(2);
    for (const userId of [ann, bob, dan]) expect(world.lists.rowOf(userId, groupId)).toMatchObject({ lastSeq: 2 });
    expect(world.lists.rowOf(dan, groupId)).toMatchObject({ joinedSeq: 2 });
    expect(await world.groups.pending(groupId, 10)).toEqual([]);
  });

  test("crosses a bucket border like any other row", async () => {
    for (let since = 1; since < 4; since++) await say(ann, since);
    await change({ kind: "add", userIds: [dan] }, 1);
    expect(await say(dan, 5)).toMatchObject({ seq: 6 });
    expect(world.log.headOf(groupId)).toMatchObject({ head: 6, membership: 2 });
  });

  test("stands behind what was said by a server that had not heard of the change", async () => {
    const slow = createDeliveryCore(world, { deaf: true });
    await say(ann, 1, slow);
    weather.during.set("log.append", async () => {
      await say(bob, 2, slow);
    });
    await change({ kind: "remove", userIds: [bob] }, 1);
    expect(world.log.rowsOf(groupId).map((row) => row.kind)).toEqual([
      kinds.system,
      kinds.text,
      kinds.text,
      kinds.system,
    ]);
    expect(await world.groups.intervals(groupId, bob)).toEqual([{ userId: bob, joinedSeq: 1, leftSeq: 5 }]);
  });

  test("is undecided for the one who asked when it cannot be appended, and finished by the retry", async () => {
    const messageId = world.id();
    const ask = () => core.groups.change(caller(ann), groupId, messageId, 1, { kind: "add", userIds: [dan] });
    weather.fates.push("unavailable");
    await expect(ask()).rejects.toMatchObject({ code: "store_unavailable", undecided: true });
    expect(await ask()).toMatchObject({ membership: 2 });
    expect(world.log.rowsOf(groupId)).toHaveLength(2);
  });

  test("of a server that comes back from the dead cannot undo what happened since", async () => {
    // The list rows of a removal are written again after the member was added anew.
    const writes: Parameters<typeof world.log.append>[0]["lists"][] = [];
    const append = world.log.append.bind(world.log);
    world.log.append = (request) => {
      writes.push(request.lists);
      return append(request);
    };
    await change({ kind: "remove", userIds: [bob] }, 1);
    await change({ kind: "add", userIds: [bob] }, 2);
    const before = world.lists.rowOf(bob, groupId);
    for (const lists of writes) await world.log.writeLists(lists);
    expect(world.lists.rowOf(bob, groupId)).toEqual(before);
    expect(before).toMatchObject({ joinedSeq: 3, leftSeq: 0 });
  });
});

describe("recovery", () => {
  test("tries every group and tells that one of them did not answer", async () => {
    await changeAndDie({ kind: "add", userIds: [dan] }, 1, "log.append");
    const healthy = groupId;
    groupId = world.id();
    await changeAndDie({ kind: "create", name: "second", userIds: [bob] }, 0, "log.append");
    weather.fates.push("unavailable");
    await expect(recoverGroups(createDeliveryCore(world).lanes)).rejects.toMatchObject({ code: "store_unavailable" });
    const left = await world.groups.pending(undefined, 10);
    expect(left).toHaveLength(1);
    expect([healthy, groupId]).toContain(left[0]?.groupId);
    await recoverGroups(createDeliveryCore(world).lanes);
    expect(await world.groups.pending(undefined, 10)).toEqual([]);
  });
});
