import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { MessageDraft } from "../api.ts";

let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;
let mediaId: Uuid;

beforeEach(() => {
  world = createMemoryWorld();
  core = createDeliveryCore(world);
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
  mediaId = world.id();
});

const draft = (more: Partial<MessageDraft> = {}, since = 0): MessageDraft =>
  textDraft(world, { user: bob }, since, { kind: kinds.media, mediaId, ...more });
const send = (from: Uuid, message: MessageDraft) =>
  core.delivery.send(caller(from), core.delivery.createGate(), message);
const code = (name: string) => expect.objectContaining({ code: name }) as unknown;

describe("a message that refers to media", () => {
  test("keeps it from being collected, from its first message on", async () => {
    world.media.put(mediaId);
    const { sentAt } = await send(ann, draft());
    expect(world.log.rowsOf(chat)).toMatchObject([{ mediaId }]);
    expect(world.media.attachedAt.get(mediaId)).toBe(sentAt);
    world.clock.advance(1_000);
    await send(bob, { ...draft({}, 1), to: { user: ann } });
    expect(world.media.attachedAt.get(mediaId)).toBe(sentAt);
  });

  test("is refused for good while that is not there, and so is the next with it", async () => {
    for (let time = 0; time < 2; time++) await expect(send(ann, draft())).rejects.toEqual(code("no_such_media"));
    expect(world.log.rowsOf(chat)).toHaveLength(0);
    world.media.put(mediaId);
    expect((await send(ann, draft())).seq).toBe(1);
  });

  test("does not stop what was sent after it", async () => {
    const gate = core.delivery.createGate();
    const refused = core.delivery.send(caller(ann), gate, draft());
    const after = core.delivery.send(caller(ann), gate, draft({ kind: kinds.text, mediaId: world.id() }));
    const text = core.delivery.send(caller(ann), gate, textDraft(world, { user: bob }, 0));
    await expect(refused).rejects.toEqual(code("no_such_media"));
    await expect(after).rejects.toEqual(code("no_such_media"));
    expect((await text).seq).toBe(1);
  });

  test("that is in the log is answered with its seq, whatever became of the media since", async () => {
    world.media.put(mediaId);
    const message = draft();
    const first = await send(ann, message);
    world.media.attachedAt.delete(mediaId);
    expect(await send(ann, message)).toEqual(first);
    core = createDeliveryCore(world);
    expect(await send(ann, message)).toEqual(first);
  });

  test("from somebody who may not write here keeps nothing", async () => {
    world.media.put(mediaId);
    await send(ann, textDraft(world, { user: bob }, 0));
    const eve = world.user();
    await expect(send(eve, draft({ to: { conversation: chat } }))).rejects.toEqual(code("no_such_conversation"));
    await expect(send(eve, draft({ to: { user: world.id() } }))).rejects.toEqual(code("no_such_user"));
    expect(world.media.attachedAt.get(mediaId)).toBe(0);
  });

  test("waits for a store that does not answer: nothing is written, and it comes again", async () => {
    world.media.put(mediaId);
    const ports = world.ports();
    let away = true;
    const attach: typeof ports.media.attach = (...asked) =>
      away ? Promise.reject(new WireError("store_unavailable")) : ports.media.attach(...asked);
    core = createDeliveryCore(world, { ports: { ...ports, media: { attach } } });
    const gate = core.delivery.createGate();
    const message = draft();
    const failed = core.delivery.send(caller(ann), gate, message);
    await expect(failed).rejects.toMatchObject({ code: "store_unavailable", undecided: false });
    away = false;
    const later = core.delivery.send(caller(ann), gate, textDraft(world, { user: bob }, 0));
    await expect(later).rejects.toEqual(code("out_of_order"));
    expect((await core.delivery.send(caller(ann), gate, message)).seq).toBe(1);
  });
});
