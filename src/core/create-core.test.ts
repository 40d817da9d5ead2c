import { describe, expect, test } from "vitest";
import { textDraft } from "../../test/helpers/core-ports/delivery-core.ts";
import { createMemoryWorld, type MemoryWorld } from "../../test/helpers/core-ports/core-ports.ts";
import { directConversationId, type Uuid } from "../protocol/ids.ts";
import type { Caller, Core, SyncPage } from "./api.ts";
import { createCore } from "./create-core.ts";

const by = (userId: Uuid, device = 1): Caller => ({ userId, device });

/** `heard`: whether notices of the bus reach the core, as a server process arranges it. */
function coreOn(world: MemoryWorld, heard: boolean): Core {
  const ports = world.ports();
  const core = createCore(ports, {});
  if (heard) ports.bus.subscribe({ deliver: () => undefined, notice: (notice) => core.hear(notice) });
  return core;
}

async function syncFrom(core: Core, caller: Caller): Promise<SyncPage[]> {
  const pages: SyncPage[] = [];
  await core.reading.sync(caller, new Map(), undefined, (page) => Promise.resolve(void pages.push(page)), {
    turned: new Set(),
    filled: new Set(),
  });
  return pages;
}

describe("the parts of one core together", () => {
  test("a message is sent, synced, confirmed and read", async () => {
    const world = createMemoryWorld();
    const core = coreOn(world, true);
    const [alice, bob] = [world.user(), world.user()];
    const sent = await core.delivery.send(by(alice), core.delivery.createGate(), textDraft(world, { user: bob }, 0));
    const { conversationId } = sent;
    expect(conversationId).toBe(directConversationId(alice, bob));
    const [page] = await syncFrom(core, by(bob));
    expect(page).toMatchObject({ conversationId, messages: [{ seq: 1 }], registers: { last_seq: 1, last_ucount: 1 } });
    await core.receipts.delivered(by(bob), { conversationId, from: 1, seq: 1 });
    expect(await core.reading.registers(by(alice), conversationId)).toMatchObject({
      peer_recv_seq: 1,
      peer_read_seq: 0,
    });
    await core.receipts.read(by(bob), { conversationId, from: 1, seq: 1 });
    expect(await core.reading.registers(by(alice), conversationId)).toMatchObject({
      peer_recv_seq: 1,
      peer_read_seq: 1,
    });
    expect((await core.receipts.page(by(alice), conversationId, 1)).count).toEqual({ total: 1, delivered: 1, read: 1 });
  });

  // Without the bus telling this core of its own changes, nothing else could.
  test.each([true, false])("a block and its end count for the very next send (bus heard: %s)", async (heard) => {
    const world = createMemoryWorld();
    const core = coreOn(world, heard);
    const [alice, bob] = [world.user(), world.user()];
    const gate = core.delivery.createGate();
    const { conversationId } = await core.delivery.send(by(alice), gate, textDraft(world, { user: bob }, 0));
    const visible = async (): Promise<number[]> =>
      (await core.reading.range(by(bob), conversationId, 1, 9)).messages.map((row) => row.kind);
    await core.people.block(by(bob), alice, true);
    await core.delivery.send(by(alice), gate, textDraft(world, { user: bob }, 1));
    expect(await visible()).toEqual([1, 0]);
    await core.people.block(by(bob), alice, false);
    await core.delivery.send(by(alice), gate, textDraft(world, { user: bob }, 2));
    expect(await visible()).toEqual([1, 0, 1]);
  });

  test.each([true, false])(
    "a removed member reads on for not one row, and again after the return (bus heard: %s)",
    async (heard) => {
      const world = createMemoryWorld();
      const core = coreOn(world, heard);
      const [alice, bob] = [world.user(), world.user()];
      const groupId = world.id();
      const gate = core.delivery.createGate();
      const say = (since: number) =>
        core.delivery.send(by(alice), gate, textDraft(world, { conversation: groupId }, since));
      const unreadable = async () => (await core.reading.range(by(bob), groupId, 1, 99)).unreadable;
      await core.groups.change(by(alice), groupId, world.id(), 0, { kind: "create", name: "g", userIds: [bob] });
      await say(1);
      expect(await unreadable()).toEqual([]);
      await core.groups.change(by(alice), groupId, world.id(), 1, { kind: "remove", userIds: [bob] });
      const { seq } = await say(3);
      await expect(core.receipts.delivered(by(bob), { conversationId: groupId, from: 1, seq })).resolves.toMatchObject({
        accepted: false,
      });
      expect(await core.reading.range(by(bob), groupId, 1, 99)).toMatchObject({ to: 3, unreadable: [] });
      await core.groups.change(by(alice), groupId, world.id(), 2, { kind: "add", userIds: [bob] });
      expect(await unreadable()).toEqual([[4, 4]]);
      await expect(
        core.receipts.delivered(by(bob), { conversationId: groupId, from: 1, seq: 5 }),
      ).resolves.toMatchObject({ accepted: true, registers: { recv_seq: 5 } });
    },
  );

  test.each([
    ["a notice tells of a change", true],
    ["without one it ends with its proof", false],
  ])("what a core of several knows of settings is believed while it hears: %s", async (_, isTold) => {
    const world = createMemoryWorld();
    const ports = world.ports();
    const core = createCore(ports, { cacheTtlMs: 1_000 });
    ports.bus.subscribe({ deliver: () => undefined, notice: (notice) => core.hear(notice) });
    const [alice, bob] = [world.user(), world.user()];
    const readBy = async (since: number): Promise<number | undefined> => {
      const gate = core.delivery.createGate();
      const { conversationId, seq } = await core.delivery.send(by(alice), gate, textDraft(world, { user: bob }, since));
      await core.receipts.read(by(bob), { conversationId, from: 1, seq });
      return world.lists.rowOf(alice, conversationId)?.peerReadSeq;
    };
    expect(await readBy(0)).toBe(1);
    await world.users.update(bob, {}, { readReceipts: false });
    world.clock.advance(30_000);
    expect(await readBy(1)).toBe(2);
    if (isTold) await ports.bus.announce({ notice: "settings_changed", userId: bob });
    else world.hub.hearing = { sinceMs: -Infinity, toMs: world.clock.monotonicMs() - 1_001 };
    expect(await readBy(2)).toBe(2);
  });

  test("another core hears of a removal over the bus", async () => {
    const world = createMemoryWorld();
    const [first, second] = [coreOn(world, true), coreOn(world, true)];
    const [alice, bob] = [world.user(), world.user()];
    const groupId = world.id();
    await first.groups.change(by(alice), groupId, world.id(), 0, { kind: "create", name: "g", userIds: [bob] });
    expect(await second.reading.range(by(bob), groupId, 1, 9)).toMatchObject({ to: 1 });
    await first.groups.change(by(alice), groupId, world.id(), 1, { kind: "remove", userIds: [bob] });
    await first.delivery.send(by(alice), first.delivery.createGate(), textDraft(world, { conversation: groupId }, 2));
    await expect(
      second.receipts.delivered(by(bob), { conversationId: groupId, from: 1, seq: 3 }),
    ).resolves.toMatchObject({ accepted: false });
    expect((await second.reading.range(by(bob), groupId, 1, 9)).messages.map((row) => row.seq)).toEqual([1, 2]);
  });

  test("what a core left half done another one finishes at its start", async () => {
    const world = createMemoryWorld();
    const [alice, bob] = [world.user(), world.user()];
    const groupId = world.id();
    await world.groups.commit({
      groupId,
      messageId: world.id(),
      since: 0,
      actorId: alice,
      actorDevice: 1,
      kind: "create",
      userIds: [bob],
      name: "g",
      at: world.clock.nowMs(),
      expectedVersion: 0,
    });
    const core = coreOn(world, true);
    await core.recover();
    expect(await core.groups.get(by(bob), groupId)).toMatchObject({ membership: 1 });
    expect((await syncFrom(core, by(bob))).map((page) => page.conversationId)).toEqual([groupId]);
  });
});
