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
import { limits } from "../../protocol/limits.ts";

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

const send = (from: Uuid, to: Uuid, since: number) =>
  core.delivery.send(caller(from), core.delivery.createGate(), textDraft(world, { user: to }, since));

async function block(blocked: boolean): Promise<void> {
  await world.relations.putBlock(bob, ann, blocked);
  await core.ports.bus.announce({ notice: "blocks_changed", ownerId: bob, otherId: ann });
}

describe("a message to someone who blocked its sender", () => {
  test("stands in the log for its sender alone: no count, no list row of the other, no push to the other", async () => {
    await send(ann, bob, 0);
    await block(true);
    const before = world.lists.rowOf(bob, chat);
    world.hub.deliveries.length = 0;
    expect(await send(ann, bob, 1)).toMatchObject({ seq: 2, ucount: 1 });
    expect(world.log.rowsOf(chat)[1]).toMatchObject({ visibility: 1, ucount: 1 });
    expect(world.lists.rowOf(bob, chat)).toEqual(before);
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ lastSeq: 2, lastUcount: 1, ownSeq: 2 });
    expect(world.hub.deliveries).toMatchObject([{ userIds: [ann], frame: { seq: 2, max_status: "sent" } }]);
  });

  test("lists no chat that was not there", async () => {
    await block(true);
    await send(ann, bob, 0);
    expect(world.lists.rowOf(bob, chat)).toBeUndefined();
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ lastSeq: 1 });
  });

  test("is not pushed later either, when it is repeated after the block ended", async () => {
    await block(true);
    const draft = textDraft(world, { user: bob }, 0);
    await core.delivery.send(caller(ann), core.delivery.createGate(), draft);
    await block(false);
    world.hub.deliveries.length = 0;
    const next = createDeliveryCore(world);
    await next.delivery.send(caller(ann), next.delivery.createGate(), draft);
    expect(world.hub.deliveries.map((delivery) => delivery.userIds)).toEqual([[ann]]);
    expect(world.lists.rowOf(bob, chat)).toBeUndefined();
  });

  test("works one way: the one who blocks may still write, and is seen", async () => {
    await block(true);
    await send(bob, ann, 0);
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ lastSeq: 1, lastSender: bob });
  });

  test("after the block ended is an ordinary one again", async () => {
    await block(true);
    await send(ann, bob, 0);
    await block(false);
    expect(await send(ann, bob, 1)).toMatchObject({ seq: 2, ucount: 1 });
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ lastSeq: 2, lastUcount: 1 });
  });

  test("in one append with an answer of the other: each list shows its own last row", async () => {
    await send(bob, ann, 0);
    await block(true);
    await Promise.all([send(bob, ann, 1), send(bob, ann, 1), send(ann, bob, 1), send(ann, bob, 1)]);
    expect(world.log.rowsOf(chat).map((row) => row.visibility)).toEqual([0, 0, 0, 1, 1]);
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ lastSeq: 3, ownSeq: 3 });
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ lastSeq: 5, ownSeq: 5, lastUcount: 3 });
  });
});

describe("what a server knows of a block", () => {
  test("is read once while it is the only writer", async () => {
    let reads = 0;
    const between = world.relations.between.bind(world.relations);
    world.relations.between = (...users) => {
      reads++;
      return between(...users);
    };
    for (let seq = 0; seq < 5; seq++) await send(ann, bob, seq);
    expect(reads).toBe(1);
  });

  test("is read again after the lifetime of a cache whose bus may be silent", async () => {
    core = createDeliveryCore(world, { cacheTtlMs: 500, deaf: true });
    await send(ann, bob, 0);
    await world.relations.putBlock(bob, ann, true);
    world.clock.advance(501);
    await send(ann, bob, 1);
    expect(world.log.rowsOf(chat)[1]?.visibility).toBe(1);
  });

  /** Two drafts in one round, the second of which takes a while: it is a repeat, and its list rows are written first. */
  async function sendWhile(server: DeliveryCore, happens: () => Promise<void>): Promise<number | undefined> {
    const repeated = textDraft(world, { user: bob }, 0);
    await core.delivery.send(caller(ann), core.delivery.createGate(), repeated);
    const gate = server.delivery.createGate();
    weather.during.set("log.writeLists", happens);
    const [, fresh] = await Promise.all([
      server.delivery.send(caller(ann), gate, textDraft(world, { user: bob }, 1)),
      server.delivery.send(caller(ann), gate, textDraft(world, { user: bob }, 1)),
      server.delivery.send(caller(ann), gate, repeated),
    ]);
    expect(weather.during.size).toBe(0);
    return world.log.rowsOf(chat)[fresh.seq - 1]?.visibility;
  }

  test("is read again when the decision has grown old before the append", async () => {
    const visibility = sendWhile(createDeliveryCore(world, { deaf: true }), async () => {
      await world.relations.putBlock(bob, ann, true);
      world.clock.advance(limits.blockRecheckMs + 1);
    });
    expect(await visibility).toBe(1);
  });

  test("counts until the append begins: a notice in between starts the round again", async () => {
    expect(await sendWhile(createDeliveryCore(world), () => block(true))).toBe(1);
  });

  test("is not kept when the block changed while it was read", async () => {
    const between = world.relations.between.bind(world.relations);
    let stale = true;
    world.relations.between = async (...users) => {
      const answer = await between(...users);
      if (stale) {
        stale = false;
        await block(true);
      }
      return answer;
    };
    await send(ann, bob, 0);
    expect(world.log.rowsOf(chat)[0]?.visibility).toBe(1);
  });
});
