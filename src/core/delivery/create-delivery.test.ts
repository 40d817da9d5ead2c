import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { deviceInboxId, directConversationId, type Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";

let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

beforeEach(() => {
  world = createMemoryWorld();
  core = createDeliveryCore(world);
  ann = world.user();
  bob = world.user();
  chat = directConversationId(ann, bob);
});

const send = (from: Uuid, to: Uuid, since: number, more = {}) =>
  core.delivery.send(caller(from), core.delivery.createGate(), textDraft(world, { user: to }, since, more));

describe("a direct message", () => {
  test("gets the next seq, in the log and in both lists", async () => {
    const first = await send(ann, bob, 0);
    const second = await send(bob, ann, 1);
    expect([first.seq, second.seq]).toEqual([1, 2]);
    expect(first.conversationId).toBe(chat);
    expect(second.ucount).toBe(2);
    expect(world.log.rowsOf(chat).map((row) => row.senderId)).toEqual([ann, bob]);
    expect(world.lists.rowOf(ann, chat)).toMatchObject({ peerId: bob, lastSeq: 2, lastSender: bob, ownSeq: 1 });
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ peerId: ann, lastSeq: 2, lastUcount: 2, ownSeq: 2 });
  });

  test("goes to the devices of both, but not to the one that sent it", async () => {
    await send(ann, bob, 0);
    expect(world.hub.deliveries).toHaveLength(1);
    expect(world.hub.deliveries[0]).toMatchObject({
      userIds: [ann, bob],
      except: { userId: ann, device: 1 },
      frame: { type: "NEW_MESSAGE", conversation_id: chat, seq: 1, envelope: Buffer.from("hello").toString("base64") },
    });
  });

  test("to oneself is one list row, where it is the peer too", async () => {
    const { conversationId } = await send(ann, ann, 0);
    expect(world.lists.rowsOf(ann)).toHaveLength(1);
    expect(world.lists.rowOf(ann, conversationId)).toMatchObject({ peerId: ann, lastSeq: 1, ownSeq: 1 });
    expect(world.hub.deliveries[0]?.userIds).toEqual([ann]);
  });

  test("counts for unread only if it is a text, a media message or a reply", async () => {
    const counts: number[] = [];
    for (const kind of [kinds.text, kinds.reaction, kinds.media, kinds.edit, kinds.reply, 99]) {
      counts.push((await send(ann, bob, counts.length, { kind })).ucount);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test("is never dated before the one before it", async () => {
    const first = await send(ann, bob, 0);
    world.clock.nowMs = () => first.sentAt - 5_000;
    expect((await send(bob, ann, 1)).sentAt).toBe(first.sentAt);
  });

  test("may be addressed by the id of a chat that exists, by its two users only", async () => {
    const eve = world.user();
    const gate = core.delivery.createGate();
    const to = { conversation: chat };
    await expect(core.delivery.send(caller(ann), gate, textDraft(world, to, 0))).rejects.toMatchObject({
      code: "no_such_conversation",
    });
    await send(ann, bob, 0);
    const other = createDeliveryCore(world);
    const answer = await other.delivery.send(caller(bob), other.delivery.createGate(), textDraft(world, to, 1));
    expect(answer.seq).toBe(2);
    await expect(other.delivery.send(caller(eve), gate, textDraft(world, to, 0))).rejects.toMatchObject({
      code: "no_such_conversation",
    });
  });
});

describe("a draft that may not be sent", () => {
  test.each([
    ["to nobody", "no_such_user", {}],
    ["of a kind that only the server writes", "bad_request", { kind: kinds.system }],
    ["of the kind void", "bad_request", { kind: kinds.void }],
    ["with an id that is not a UUIDv7", "bad_request", { messageId: "9b2921f0-0000-4000-8000-000000000000" }],
    ["with a cursor that is no number", "bad_request", { since: Number.NaN }],
    ["with a run that is no run", "bad_request", { read: 0.5, readFrom: 1 }],
    ["too large", "bad_envelope", { envelope: new Uint8Array(limits.envelopeBytesMax + 1) }],
  ])("%s is refused for good", async (_, code, more) => {
    const to = { user: code === "no_such_user" ? world.id() : bob };
    const sent = core.delivery.send(caller(ann), core.delivery.createGate(), textDraft(world, to, 0, more));
    await expect(sent).rejects.toMatchObject({ code, temporary: false, undecided: false });
    expect(world.log.conversationIds()).toEqual([]);
  });

  test.each([
    ["a group that does not exist", () => world.id()],
    ["a device's inbox", () => deviceInboxId(ann, 1)],
  ])("to %s is refused for good", async (_, conversation) => {
    const draft = textDraft(world, { conversation: conversation() }, 0);
    await expect(core.delivery.send(caller(ann), core.delivery.createGate(), draft)).rejects.toMatchObject({
      code: "no_such_conversation",
    });
  });
});

describe("drafts that wait", () => {
  test("are appended together, in the order of the calls, up to the bound of one append and a bucket border", async () => {
    world = createMemoryWorld({ bucketRows: 100 });
    core = createDeliveryCore(world);
    [ann, bob] = [world.user(), world.user()];
    const gate = core.delivery.createGate();
    const drafts = Array.from({ length: 150 }, () => textDraft(world, { user: bob }, 0));
    const answers = await Promise.all(drafts.map((draft) => core.delivery.send(caller(ann), gate, draft)));
    expect(answers.map((answer) => answer.seq)).toEqual(drafts.map((_, index) => index + 1));
    // 1 alone, since nothing waited yet; then 64, 35 up to the border, and the rest of that batch before the next one.
    expect(world.log.calls.append).toBe(5);
  });

  test("need nothing but the append once the lane knows the log", async () => {
    world = createMemoryWorld({ bucketRows: 100 });
    core = createDeliveryCore(world);
    [ann, bob] = [world.user(), world.user()];
    await send(ann, bob, 0);
    const before = { ...world.log.calls };
    for (let seq = 1; seq < 20; seq++) await send(ann, bob, seq);
    expect(world.log.calls).toEqual({ ...before, append: before.append + 19 });
  });

  test("beyond the bound of a conversation are refused for now", { timeout: 20_000 }, async () => {
    const gate = core.delivery.createGate();
    const drafts = Array.from({ length: limits.draftsPerConversationMax + 2 }, () =>
      textDraft(world, { user: bob }, 0),
    );
    const answers = await Promise.allSettled(drafts.map((draft) => core.delivery.send(caller(ann), gate, draft)));
    const refused = answers.filter((answer) => answer.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.reason).toMatchObject({ code: "overloaded", temporary: true, undecided: false });
    const kept = world.log.rowsOf(directConversationId(ann, bob));
    expect(kept.map((row) => row.messageId)).toEqual(drafts.slice(0, kept.length).map((draft) => draft.messageId));
  });
});
