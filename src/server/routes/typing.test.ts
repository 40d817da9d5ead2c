import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { caller, textDraft } from "../../../test/helpers/core-ports/delivery-core.ts";
import type { Core, CorePorts } from "../../core/api.ts";
import { createCore } from "../../core/create-core.ts";
import type { Typing } from "../../core/ports/presence.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { Connection } from "../connection/connection.ts";
import type { RouteServices } from "./route.ts";
import { typingRoute } from "./typing.ts";

let world: MemoryWorld;
let ports: CorePorts;
let core: Core;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;
/** What happens while the store of who types is asked. */
let meanwhile: () => Promise<void>;
let reads: number;

beforeEach(async () => {
  world = createMemoryWorld();
  ports = world.ports();
  core = createCore(ports, { cacheTtlMs: 1_000 });
  ports.bus.subscribe({ deliver: () => undefined, notice: (notice) => core.hear(notice) });
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
  meanwhile = () => Promise.resolve();
  await core.delivery.send(caller(ann), core.delivery.createGate(), textDraft(world, { user: bob }, 0));
  reads = 0;
  const between = world.relations.between.bind(world.relations);
  world.relations.between = (...users) => {
    reads++;
    return between(...users);
  };
});

/** Whether Bob sees Ann type. */
async function isShown(): Promise<boolean> {
  world.hub.deliveries.length = 0;
  const typing: Pick<Typing, "start"> = { start: () => meanwhile() };
  const services = { core, lists: ports.lists, typing, bus: ports.bus, clock: world.clock };
  const connection = { caller: caller(ann) } as Connection;
  expect(
    await typingRoute.run(services as unknown as RouteServices, connection, { type: "TYPING", conversation_id: chat }),
  ).toBeUndefined();
  const shown = world.hub.deliveries.filter(({ frame }) => frame.type === "TYPING");
  for (const delivery of shown) expect(delivery).toMatchObject({ userIds: [bob], frame: { user_id: ann } });
  return shown.length > 0;
}

const block = (ownerId: Uuid, otherId: Uuid, blocked = true) => core.people.block(caller(ownerId), otherId, blocked);

describe("who types in a direct chat", () => {
  test("is shown to the other, and the store of blocks is asked no more than by sends", async () => {
    for (let time = 0; time < 5; time++) expect(await isShown()).toBe(true);
    // How Bob stands to Ann, the send before has read.
    expect(reads).toBe(1);
  });

  test("is not shown while either blocks the other, and is again afterwards", async () => {
    for (const [owner, other] of [
      [ann, bob],
      [bob, ann],
    ] as const) {
      await block(owner, other);
      expect(await isShown()).toBe(false);
      await block(owner, other, false);
      expect(await isShown()).toBe(true);
    }
  });

  test("is not shown when the block comes while the store of who types is asked", async () => {
    expect(await isShown()).toBe(true);
    meanwhile = () => block(bob, ann);
    expect(await isShown()).toBe(false);
  });

  test("is not shown more than a second after a block that was not heard of", async () => {
    expect(await isShown()).toBe(true);
    ports.bus.hearing = () => ({ sinceMs: Infinity, toMs: -Infinity });
    await world.relations.putBlock(bob, ann, true);
    world.clock.advance(1_001);
    expect(await isShown()).toBe(false);
    expect(reads).toBe(3);
  });

  test("is not shown when the store of blocks takes so long that its answer says nothing of now", async () => {
    ports.bus.hearing = () => ({ sinceMs: Infinity, toMs: -Infinity });
    world.clock.advance(1_001);
    const between = world.relations.between.bind(world.relations);
    world.relations.between = async (...users) => {
      const answer = await between(...users);
      world.clock.advance(1_001);
      return answer;
    };
    expect(await isShown()).toBe(false);
  });

  test("a block announced while the store of blocks was read is not overlooked", async () => {
    world.clock.advance(70_000);
    const between = world.relations.between.bind(world.relations);
    world.relations.between = async (...users) => {
      const answer = await between(...users);
      world.relations.between = between;
      await block(bob, ann);
      return answer;
    };
    expect(await isShown()).toBe(false);
  });
});
