import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { MessageDraft } from "../api.ts";

let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

beforeEach(async () => {
  world = createMemoryWorld();
  core = createDeliveryCore(world);
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
  for (let seq = 0; seq < 3; seq++) await send(bob, seq);
  world.hub.deliveries.length = 0;
});

const send = (from: Uuid, since: number, more: Partial<MessageDraft> = {}, server = core) => {
  const to = { user: from === ann ? bob : ann };
  return server.delivery.send(caller(from), server.delivery.createGate(), textDraft(world, to, since, more));
};
const readOf = (userId: Uuid) => {
  const row = world.lists.rowOf(userId, chat);
  return [row?.readSeq, row?.readUcount];
};

describe("the run that a sender has viewed", () => {
  test("takes read_seq along to the message when it reaches the head before it", async () => {
    await send(ann, 3, { readFrom: 1, read: 3 });
    expect(readOf(ann)).toEqual([4, 4]);
  });

  test("moves nothing when a row came in that was not viewed: it must stay unread", async () => {
    await send(ann, 2, { readFrom: 1, read: 2 });
    expect(readOf(ann)).toEqual([0, 0]);
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ ownSeq: 4 });
  });

  test("moves nothing without a claim", async () => {
    await send(ann, 3);
    expect(readOf(ann)).toEqual([0, 0]);
  });

  test.each([
    ["starts beyond what was read", { readFrom: 2, read: 3 }],
    ["ends beyond the log", { readFrom: 1, read: 10 ** 12 }],
    ["runs backwards", { readFrom: 3, read: 2 }],
    ["has no start", { read: 3 }],
  ])("moves nothing when it %s, and the message is sent all the same", async (_, claim) => {
    expect(await send(ann, 3, claim)).toMatchObject({ seq: 4 });
    expect(readOf(ann)).toEqual([0, 0]);
  });

  test("counts own rows before the message as viewed, in one append and in several", async () => {
    const first = send(ann, 3, { readFrom: 1, read: 3 });
    const rest = [send(ann, 3), send(ann, 3, { readFrom: 1, read: 3 })];
    await Promise.all([first, ...rest]);
    expect(readOf(ann)).toEqual([6, 6]);
    await send(ann, 6);
    await send(ann, 6, { readFrom: 1, read: 3 });
    expect(readOf(ann)).toEqual([8, 8]);
  });

  test("is judged by the read_seq of the list row, which another device may have moved", async () => {
    await send(ann, 3, { readFrom: 1, read: 2 });
    const chatRow = { userId: ann, conversationId: chat, kind: "direct" as const };
    await world.lists.write([{ ...chatRow, read: { seq: 4, ucount: 4 } }]);
    await send(bob, 4);
    await send(ann, 5, { readFrom: 5, read: 5 });
    expect(readOf(ann)).toEqual([6, 6]);
  });

  test("tells the sender's other devices when rows of others became read by it", async () => {
    await send(ann, 3, { readFrom: 1, read: 3 });
    expect(world.hub.deliveries[1]).toMatchObject({
      userIds: [ann],
      except: { userId: ann, device: 1 },
      frame: { type: "STATUS_UPDATE", user_id: ann, read_seq: 4, read_ucount: 4 },
    });
    world.hub.deliveries.length = 0;
    await send(ann, 4, { readFrom: 1, read: 3 });
    expect(world.hub.deliveries).toHaveLength(1);
  });

  test("moves over a row that only the other one may see", async () => {
    await world.relations.putBlock(ann, bob, true);
    core.ports.bus.announce({ notice: "blocks_changed", ownerId: ann, otherId: bob });
    await send(bob, 3);
    await send(ann, 4, { readFrom: 1, read: 4 });
    expect(readOf(ann)).toEqual([5, 4]);
  });

  test("does not wait for a fresh read while what is known is enough", async () => {
    let reads = 0;
    const one = world.lists.one.bind(world.lists);
    world.lists.one = (...row) => {
      reads++;
      return one(...row);
    };
    await send(ann, 3, { readFrom: 1, read: 3 });
    await send(bob, 4);
    await send(ann, 5, { readFrom: 5, read: 5 });
    expect(reads).toBe(1);
    expect(readOf(ann)).toEqual([6, 6]);
  });
});
