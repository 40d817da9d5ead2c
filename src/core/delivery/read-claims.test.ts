import { beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { mortalPorts } from "../../../test/helpers/core-ports/mortal-ports.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import { fairWeather } from "../../../test/helpers/core-ports/weather.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
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

describe("rows of others that a send says were read", () => {
  const viewed = { readFrom: 1, read: 3 };
  const frames = (userId: Uuid) =>
    world.hub.deliveries.filter((each) => each.userIds.includes(userId)).map(({ frame }) => frame);

  test("are read for everyone, as by a READ_RECEIPT: the ticks do not depend on what the device still sends", async () => {
    await send(ann, 3, viewed);
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ peerRecvSeq: 3, peerReadSeq: 3, lastSeq: 4 });
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ recvSeq: 3, readSeq: 4, readUcount: 4, peerReadSeq: 0 });
    const at = world.clock.nowMs();
    expect(await world.receipts.one(chat, ann)).toMatchObject({ recvSeq: 3, recvAt: at, readSeq: 3, readAt: at });
    const status = { type: "STATUS_UPDATE", conversation_id: chat, user_id: ann };
    expect(frames(bob)).toMatchObject([{ type: "NEW_MESSAGE" }, { ...status, recv_seq: 3, read_seq: 3 }]);
    expect(frames(ann)).toMatchObject([{ type: "NEW_MESSAGE" }, { ...status, recv_seq: 3, read_seq: 4 }]);
  });

  test.each(["ann", "bob"])("stay untold when %s gives no read receipts; that they arrived is told", async (who) => {
    await world.users.update(who === "ann" ? ann : bob, {}, { readReceipts: false });
    await send(ann, 3, viewed);
    expect(readOf(ann)).toEqual([4, 4]);
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ peerRecvSeq: 3, peerReadSeq: 0 });
    expect(await world.receipts.one(chat, ann)).toMatchObject({ recvSeq: 3, readSeq: 0 });
    expect(frames(bob)[1]).toMatchObject({ type: "STATUS_UPDATE", recv_seq: 3, read_seq: 0 });
  });

  test("are read for everyone when the process dies right after the append: nobody would tell the others later", async () => {
    const weather = new ScriptedWeather();
    world.log.weather = weather;
    const { ports, kill } = mortalPorts(world.ports());
    // Before the append takes effect, then after it.
    weather.during.set("log.append", () => void weather.during.set("log.append", kill));
    void send(ann, 3, viewed, createDeliveryCore(world, { ports }));
    await vi.waitFor(() => expect(readOf(ann)).toEqual([4, 4]));
    expect(world.lists.rowOf(bob, chat)?.peerReadSeq).toBe(3);
    expect(await world.receipts.one(chat, ann)).toMatchObject({ readSeq: 3 });
    expect(frames(bob)).toEqual([]);
  });

  test("of a sender whom the other one has blocked are read too, while the message reaches nobody", async () => {
    await world.relations.putBlock(bob, ann, true);
    await core.ports.bus.announce({ notice: "blocks_changed", ownerId: bob, otherId: ann });
    await send(ann, 3, viewed);
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ lastSeq: 3, peerReadSeq: 3 });
    expect(frames(bob)).toMatchObject([{ type: "STATUS_UPDATE", read_seq: 3 }]);
  });

  test("of a group are told to those who wrote them, gathered", async () => {
    const groupId = world.id();
    const request = { kind: "create", name: "trip", userIds: [ann] } as const;
    await core.groups.change(caller(bob), groupId, world.id(), 0, request);
    const say = (from: Uuid, since: number, more: Partial<MessageDraft> = {}) =>
      core.delivery.send(
        caller(from),
        core.delivery.createGate(),
        textDraft(world, { conversation: groupId }, since, more),
      );
    await say(bob, 1);
    world.hub.deliveries.length = 0;
    await say(ann, 2, { readFrom: 1, read: 2 });
    expect(await world.receipts.one(groupId, ann)).toMatchObject({ recvSeq: 2, readSeq: 2 });
    world.clock.advance(limits.groupUpdateCoalesceMs);
    await vi.waitFor(() =>
      expect(frames(bob)).toContainEqual(expect.objectContaining({ type: "STATUS_UPDATE", user_id: ann, read_seq: 2 })),
    );
  });

  test("cost nothing where nothing is said: no user is read and no receipt is written", async () => {
    const asked: string[] = [];
    const listening = { ...fairWeather(), fails: (operation: string) => (asked.push(operation), false) };
    await send(ann, 3, viewed);
    for (const store of [world.users, world.receipts]) store.weather = listening;
    await send(ann, 4, { readFrom: 1, read: 3 });
    await send(ann, 5);
    expect(asked).toEqual([]);
  });
});

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
      frame: { type: "STATUS_UPDATE", user_id: ann, recv_seq: 3, read_seq: 4, read_ucount: 4 },
    });
    world.hub.deliveries.length = 0;
    await send(ann, 4, { readFrom: 1, read: 3 });
    expect(world.hub.deliveries).toHaveLength(1);
  });

  test("moves over a row that only the other one may see", async () => {
    await world.relations.putBlock(ann, bob, true);
    await core.ports.bus.announce({ notice: "blocks_changed", ownerId: ann, otherId: bob });
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
