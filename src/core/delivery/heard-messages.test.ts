import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";

let world: MemoryWorld;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

beforeEach(() => {
  world = createMemoryWorld();
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
});

const send = (core: DeliveryCore, from: Uuid, to: Uuid, since: number) =>
  core.delivery.send(caller(from), core.delivery.createGate(), textDraft(world, { user: to }, since));

/** One answers the other, each at a process of its own, until the log ends at `end`. */
async function talk(one: DeliveryCore, other: DeliveryCore, from: number, end: number): Promise<void> {
  for (let since = from; since < end; since++) {
    const [core, sender, peer] = since % 2 === 0 ? ([one, ann, bob] as const) : ([other, bob, ann] as const);
    expect(await send(core, sender, peer, since)).toMatchObject({ seq: since + 1 });
  }
}

describe("two processes that hear each other's messages", () => {
  test("append each answer at once, write its list rows once, push it once", async () => {
    const [one, other] = [createDeliveryCore(world), createDeliveryCore(world)];
    await talk(one, other, 0, 2);
    world.hub.deliveries.length = 0;
    const before = { ...world.log.calls };
    await talk(one, other, 2, 22);
    expect(world.log.calls.append - before.append).toBe(20);
    // Those that prove that a bucket is full.
    expect(world.log.calls.serialReads - before.serialReads).toBe(20 / world.log.bucketRows);
    expect(world.log.calls.writeLists - before.writeLists).toBe(0);
    expect(world.hub.deliveries.map(({ frame }) => frame.type === "NEW_MESSAGE" && frame.seq)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 3),
    );
  });

  test("repair what another one may have left undone, when they did not hear of it", async () => {
    const [one, other] = [createDeliveryCore(world), createDeliveryCore(world, { deaf: true })];
    await talk(one, other, 0, 2);
    world.hub.deliveries.length = 0;
    const before = world.log.calls.writeLists;
    await send(one, ann, bob, 2);
    await send(other, bob, ann, 3);
    expect(world.log.calls.writeLists).toBeGreaterThan(before);
  });

  test("look up what they hear: a message that is not there costs one read, not an answer", async () => {
    const core = createDeliveryCore(world);
    await send(core, ann, bob, 0);
    core.lanes.heardMessage(chat, 40);
    const before = world.log.calls.newestBucket;
    expect(await send(core, ann, bob, 1)).toMatchObject({ seq: 2 });
    expect(await send(core, ann, bob, 2)).toMatchObject({ seq: 3 });
    expect(world.log.calls.newestBucket - before).toBe(1);
  });

  test("keep nothing of conversations that nobody writes in here", () => {
    const core = createDeliveryCore(world);
    core.lanes.heardMessage(chat, 1);
    expect(core.lanes.size).toBe(0);
  });
});
