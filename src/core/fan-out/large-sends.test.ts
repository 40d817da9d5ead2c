import { beforeEach, describe, expect, test } from "vitest";
import type { MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { caller, createDeliveryCore, textDraft } from "../../../test/helpers/core-ports/delivery-core.ts";
import { LargeGroup } from "../../../test/helpers/core-ports/large-group.ts";
import { mortalPorts } from "../../../test/helpers/core-ports/mortal-ports.ts";
import type { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { createCore } from "../create-core.ts";

const size = limits.membersDirectFanOutMax + 1;

let group: LargeGroup;
let weather: ScriptedWeather;
let world: MemoryWorld;
let owner: Uuid;
let groupId: Uuid;

beforeEach(async () => {
  group = await LargeGroup.create(size);
  ({ weather, world, owner, groupId } = group);
});

describe("a send to a large group", () => {
  test("is answered when it is in the log and in the queue; its sender alone is listed and told at once", async () => {
    let durable = false;
    weather.during.set("fanOut.enqueue", async () => {
      await group.settle();
      expect(world.log.headOf(groupId)?.head).toBe(2);
      durable = true;
    });
    expect(await group.send(owner, group.draft(1))).toMatchObject({ seq: 2 });
    expect(durable).toBe(true);
    await group.settle();
    expect(group.rowOf(owner)).toMatchObject({ lastSeq: 2, ownSeq: 2 });
    expect(group.listed(2)).toBe(1);
    expect(group.pushed(2)).toEqual([owner]);
    expect((await world.fanOut.lag()).jobsWaiting).toBe(limits.fanOutChunks);
  });

  test("is listed for everyone and pushed to everyone by the workers, once each, with exact counts", async () => {
    await group.send(owner, group.draft(1));
    world.hub.deliveries.length = 0;
    await group.drain();
    expect(group.listed(2)).toBe(size);
    expect(group.pushed(2).toSorted()).toEqual([...group.members].toSorted());
    const other = group.rowOf(group.member(9));
    expect(other).toMatchObject({ lastUcount: 1, readUcount: 0, lastSender: owner, ownSeq: 0 });
    expect(group.outcomes).not.toContain("dropped");
  });

  test("is refused before the append when the queue is gone, and nothing is half done", async () => {
    weather.failing.add("fanOut.ready");
    const message = group.draft(1);
    await expect(group.send(owner, message)).rejects.toMatchObject({ code: "store_unavailable", undecided: false });
    expect(world.log.headOf(groupId)?.head).toBe(1);
    expect(await world.fanOut.lag()).toMatchObject({ jobsWaiting: 0 });
    weather.failing.clear();
    expect(await group.send(owner, message)).toMatchObject({ seq: 2 });
  });

  test.each(["fanOut.enqueue", "fanOut.enqueue.answer"])(
    "that was appended when %s failed is in doubt, and a retry puts it in the queue before its answer",
    async (operation) => {
      const message = group.draft(1);
      weather.failing.add(operation);
      await expect(group.send(owner, message)).rejects.toMatchObject({ temporary: true, undecided: true });
      await expect(group.send(owner, message)).rejects.toMatchObject({ temporary: true, undecided: true });
      weather.failing.clear();
      expect(await group.send(owner, message)).toMatchObject({ seq: 2 });
      expect(world.log.headOf(groupId)?.head).toBe(2);
      for (let chunk = 0; chunk < limits.fanOutChunks; chunk++) {
        expect(world.fanOut.holds(groupId, chunk, 2)).toBe(true);
      }
      await group.drain();
      expect(group.listed(2)).toBe(size);
    },
  );
});

describe("a process that dies between the append and the queue, and a client that never comes back", () => {
  async function sendAndDie(from: Uuid, since: number, message = group.draft(since)): Promise<void> {
    const mortal = mortalPorts(world.ports());
    weather.during.set("fanOut.enqueue", () => mortal.kill());
    weather.failing.add("fanOut.enqueue");
    void group.send(from, message, createDeliveryCore(world, { ports: mortal.ports }));
    await group.settle();
    weather.failing.clear();
    expect(world.log.headOf(groupId)?.head).toBe(since + 1);
  }

  test("leave a row that the next send takes along", async () => {
    const [, lost, next] = group.members as [Uuid, Uuid, Uuid];
    await sendAndDie(lost, 1);
    expect(await group.send(next, group.draft(2), createDeliveryCore(world))).toMatchObject({ seq: 3 });
    await group.drain();
    expect(group.listed(3)).toBe(size);
    expect(group.rowOf(lost)).toMatchObject({ ownSeq: 2, lastSeq: 3, lastUcount: 2 });
    expect(group.pushed(2)).toHaveLength(size);
  });

  test("leave a row that the repeat of the next message takes along", async () => {
    const [, lost, next] = group.members as [Uuid, Uuid, Uuid];
    await sendAndDie(lost, 1);
    const message = group.draft(2);
    await sendAndDie(next, 2, message);
    expect(await group.send(next, message, createDeliveryCore(world))).toMatchObject({ seq: 3 });
    await group.drain();
    expect(group.listed(3)).toBe(size);
    expect(group.pushed(2)).toHaveLength(size);
  });

  test("leave a row that a reader's sync finds: the own row at once, everyone else by the queue, once", async () => {
    const [, lost, ...readers] = group.members as [Uuid, Uuid, ...Uuid[]];
    await sendAndDie(lost, 1);
    const reading = createCore(world.ports(), {}).reading;
    const writes = world.log.calls.writeLists;
    for (const userId of readers.slice(0, 20)) {
      const progress = { turned: new Set<Uuid>(), filled: new Set<Uuid>() };
      const pages: number[] = [];
      await reading.sync(caller(userId), new Map(), undefined, async (page) => void pages.push(page.to), progress);
      expect(pages.at(-1)).toBe(2);
      expect(group.rowOf(userId)).toMatchObject({ lastSeq: 2, lastUcount: 1, checkedSeq: 2 });
    }
    expect(group.listed(2)).toBe(20);
    expect(world.log.calls.writeLists - writes).toBe(20);
    expect((await world.fanOut.lag()).jobsWaiting).toBe(limits.fanOutChunks);
    await group.drain();
    expect(group.listed(2)).toBe(size);
  });

  test("cost a sync nothing but the repair of others when the queue is gone as well", async () => {
    const [, lost, reader] = group.members as [Uuid, Uuid, Uuid];
    await sendAndDie(lost, 1);
    weather.failing.add("fanOut.enqueue");
    const progress = { turned: new Set<Uuid>(), filled: new Set<Uuid>() };
    const { reading } = createCore(world.ports(), {});
    await reading.sync(caller(reader), new Map(), undefined, async () => undefined, progress);
    expect(group.rowOf(reader)).toMatchObject({ lastSeq: 2 });
  });
});

describe("a large group that is not among the newest conversations", () => {
  test("is compared with its log by a sync all the same; a small one is not", async () => {
    const reader = group.member(5);
    const small = world.id();
    const userIds = [reader];
    await group.core.groups.change(caller(owner), small, world.id(), 0, { kind: "create", name: "few", userIds });
    for (let count = 0; count < limits.syncHeadsMax; count++) {
      world.clock.advance(10);
      const to = { user: reader };
      const peer = world.user();
      await group.core.delivery.send(caller(peer), group.core.delivery.createGate(), textDraft(world, to, 0));
    }
    await group.send(owner, group.draft(1));
    weather.fates.push("applied");
    weather.during.set("log.newest.serial", () => new Promise(() => undefined));
    void group.core.delivery.send(
      caller(owner),
      group.core.delivery.createGate(),
      textDraft(world, { conversation: small }, 1),
    );
    await group.settle();
    const progress = { turned: new Set<Uuid>(), filled: new Set<Uuid>() };
    const { reading } = createCore(world.ports(), {});
    await reading.sync(caller(reader), new Map(), undefined, async () => undefined, progress);
    expect(group.rowOf(reader).lastSeq).toBe(2);
    expect(world.lists.rowOf(reader, small)?.lastSeq).toBe(1);
  });
});
