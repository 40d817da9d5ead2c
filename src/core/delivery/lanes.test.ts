import { describe, expect, test } from "vitest";
import { createMemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { caller, textDraft } from "../../../test/helpers/core-ports/delivery-core.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { Belief } from "../belief.ts";
import { KnownRows } from "../lists/known-rows.ts";
import { createDelivery } from "./create-delivery.ts";
import { Lanes } from "./lanes.ts";

function setUp(lanesMax: number) {
  const world = createMemoryWorld();
  const shared = { groupStatus: { note: () => undefined }, known: new KnownRows() };
  const ports = world.ports();
  const lanes = new Lanes(ports, shared, { belief: new Belief(ports, Infinity), lanesMax });
  const delivery = createDelivery(lanes);
  const ann = world.user();
  const send = (to: Uuid, since: number) =>
    delivery.send(caller(ann), delivery.createGate(), textDraft(world, { user: to }, since));
  return { world, lanes, ann, send };
}

describe("lanes", () => {
  test("are bounded, and those that are used stay", async () => {
    const { world, lanes, send } = setUp(4);
    const often = world.user();
    for (let seq = 0; seq < 20; seq++) {
      await send(often, seq);
      await send(world.user(), 0);
      expect(lanes.size).toBeLessThanOrEqual(4);
    }
    // Its lane never went, so the log had to be learnt once only: once for it, once for each of the others.
    expect(world.log.calls.newestBucket).toBe(21);
  });

  test("that are busy are never dropped", async () => {
    const { world, lanes, ann, send } = setUp(2);
    const others = Array.from({ length: 10 }, () => world.user());
    await Promise.all(others.flatMap((userId) => [send(userId, 0), send(userId, 0), send(userId, 0)]));
    expect(others.map((userId) => world.log.rowsOf(directConversationId(ann, userId)).length)).toEqual(
      others.map(() => 3),
    );
    for (let more = 0; more < 10; more++) await send(world.user(), 0);
    expect(lanes.size).toBe(2);
  });

  test("run tasks and sends in the order they came, one at a time", async () => {
    const { world, lanes, ann, send } = setUp(4);
    const bob = world.user();
    const conversationId = directConversationId(ann, bob);
    const seen: number[] = [];
    const look = () =>
      lanes.enter(conversationId, async () => {
        seen.push(world.log.rowsOf(conversationId).length);
        await Promise.resolve();
      });
    await Promise.all([send(bob, 0), look(), send(bob, 0), send(bob, 0), look()]);
    expect(seen).toEqual([1, 3]);
  });

  test("go on after a task that failed, and refuse tasks beyond their bound", async () => {
    const { world, lanes } = setUp(4);
    const groupId = world.id();
    await expect(lanes.enter(groupId, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    const tasks = Array.from({ length: limits.draftsPerConversationMax + 2 }, () =>
      lanes.enter(groupId, () => Promise.resolve("done")),
    );
    const outcomes = await Promise.allSettled(tasks);
    expect(outcomes[0]).toEqual({ status: "fulfilled", value: "done" });
    expect(outcomes.at(-1)).toMatchObject({ status: "rejected", reason: { code: "overloaded" } });
  });

  test("say nothing of a block that was read while their lane was dropped, since they heard no notice", async () => {
    const { world, lanes, ann, send } = setUp(2);
    const bob = world.user();
    const conversationId = directConversationId(ann, bob);
    const hearEachOther = () => lanes.hearEachOther(conversationId, ann, bob);
    expect(await hearEachOther()).toBe(true);
    lanes.hear({ notice: "blocks_changed", ownerId: ann, otherId: bob });
    const between = world.relations.between.bind(world.relations);
    world.relations.between = async (...users) => {
      const answer = await between(...users);
      world.relations.between = between;
      for (let more = 0; more < 5; more++) await send(world.user(), 0);
      return answer;
    };
    expect(await hearEachOther()).toBe(false);
    expect(await hearEachOther()).toBe(true);
  });
});
