import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import { present } from "../../base/assert.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { ListRow } from "../model.ts";
import { needsRepair, repairLists } from "./repair.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

beforeEach(() => {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather });
  core = createDeliveryCore(world);
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
});

const send = (from: Uuid, since: number, server = core) => {
  const to = { user: from === ann ? bob : ann };
  return server.delivery.send(caller(from), server.delivery.createGate(), textDraft(world, to, since));
};
const rowOf = (userId: Uuid): ListRow => present(world.lists.rowOf(userId, chat), "list row");

/** A message whose server dies after the append and before the list rows; its client never comes back. */
async function sendAndDie(from: Uuid, since: number): Promise<void> {
  weather.fates.push("applied");
  weather.during.set("log.newest.serial", () => new Promise(() => undefined));
  void send(from, since, createDeliveryCore(world));
  await new Promise(setImmediate);
}

describe("a row that stands in the log and in no list", () => {
  test("is listed for everyone when a reader sees the head above the own row", async () => {
    await send(ann, 0);
    await sendAndDie(ann, 1);
    expect([rowOf(ann).lastSeq, rowOf(bob).lastSeq]).toEqual([1, 1]);
    expect(needsRepair(rowOf(bob), 2)).toBe(true);
    expect(await repairLists(world.ports(), bob, rowOf(bob), 2)).toBe(2);
    const { sentAt } = present(world.log.rowsOf(chat)[1], "row");
    expect(rowOf(bob)).toMatchObject({ lastSeq: 2, lastUcount: 2, lastSender: ann, lastAt: sentAt, checkedSeq: 2 });
    expect(rowOf(ann)).toMatchObject({ lastSeq: 2, ownSeq: 2 });
    expect(needsRepair(rowOf(bob), 2)).toBe(false);
  });

  test("is pushed to its readers, since whoever wrote it died before that as well", async () => {
    await send(ann, 0);
    await sendAndDie(ann, 1);
    await sendAndDie(ann, 2);
    world.hub.deliveries.length = 0;
    await repairLists(world.ports(), ann, rowOf(ann), 3);
    expect(world.hub.deliveries).toMatchObject([
      { userIds: expect.toSatisfy((ids: Uuid[]) => ids.includes(ann) && ids.includes(bob)), frame: { seq: 3 } },
    ]);
  });

  test("is pushed to the sender's devices alone when nobody else may see it", async () => {
    await send(ann, 0);
    await world.relations.putBlock(bob, ann, true);
    await sendAndDie(ann, 1);
    world.hub.deliveries.length = 0;
    await repairLists(world.ports(), ann, rowOf(ann), 2);
    expect(world.hub.deliveries).toMatchObject([{ userIds: [ann], frame: { seq: 2, max_status: "sent" } }]);
  });

  test("is listed before the next message stands on top of it, or its sender would count it as unread for ever", async () => {
    await send(bob, 0);
    await sendAndDie(ann, 1);
    await send(bob, 2, createDeliveryCore(world));
    expect(rowOf(ann)).toMatchObject({ lastSeq: 3, ownSeq: 2 });
  });

  test("is listed by a server that had another end in mind", async () => {
    await send(bob, 0);
    await sendAndDie(ann, 1);
    await send(bob, 1);
    expect(rowOf(ann)).toMatchObject({ lastSeq: 3, ownSeq: 2 });
  });
});

describe("rows that a reader may not see", () => {
  test("are looked at once: the row remembers how far it was checked", async () => {
    await send(bob, 0);
    await world.relations.putBlock(bob, ann, true);
    for (let seq = 1; seq < 6; seq++) await send(ann, seq);
    expect(rowOf(bob)).toMatchObject({ lastSeq: 1 });
    expect(await repairLists(world.ports(), bob, rowOf(bob), 6)).toBe(6);
    expect(rowOf(bob)).toMatchObject({ lastSeq: 1, ownSeq: 1, checkedSeq: 6 });
    const { readBucket } = world.log.calls;
    expect(await repairLists(world.ports(), bob, rowOf(bob), 6)).toBe(6);
    expect(world.log.calls.readBucket).toBe(readBucket);
  });

  test("after one's own removal are none of the row's business", () => {
    expect(needsRepair({ lastSeq: 6, checkedSeq: 0, leftSeq: 7 }, 50)).toBe(false);
    expect(needsRepair({ lastSeq: 5, checkedSeq: 0, leftSeq: 7 }, 50)).toBe(true);
  });
});

describe("a long way behind", () => {
  test("is gone through piece by piece, from the oldest", async () => {
    world = createMemoryWorld({ bucketRows: 1_024 });
    core = createDeliveryCore(world);
    [ann, bob] = [world.user(), world.user()];
    chat = directConversationId(ann, bob);
    await world.relations.putBlock(bob, ann, true);
    await send(bob, 0);
    const gate = core.delivery.createGate();
    for (let since = 1; since < 5_000; since += 1_000) {
      const drafts = Array.from({ length: 1_000 }, () => textDraft(world, { user: bob }, since));
      await Promise.all(drafts.map((draft) => core.delivery.send(caller(ann), gate, draft)));
    }
    expect(await repairLists(world.ports(), bob, rowOf(bob), 5_001)).toBe(1 + limits.dedupeRowsMax);
    expect(await repairLists(world.ports(), bob, rowOf(bob), 5_001)).toBe(5_001);
    expect(rowOf(bob)).toMatchObject({ lastSeq: 1, checkedSeq: 5_001 });
  });
});
