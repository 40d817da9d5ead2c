import { beforeEach, describe, expect, test } from "vitest";
import { createDeliveryCore } from "../../../test/helpers/core-ports/delivery-core.ts";
import { LargeGroup } from "../../../test/helpers/core-ports/large-group.ts";
import { mortalPorts } from "../../../test/helpers/core-ports/mortal-ports.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { CorePorts, GroupRequest } from "../api.ts";
import { chunkOf } from "./chunks.ts";

const size = limits.membersDirectFanOutMax + 1;

let group: LargeGroup;

beforeEach(async () => {
  group = await LargeGroup.create(size);
});

/** Sends row 2 and forgets who was told of it meanwhile. */
async function sendOne(): Promise<void> {
  await group.send(group.owner, group.draft(1));
  group.world.hub.deliveries.length = 0;
}

/** Everyone has row 2 in the list and was told of it, once or more. */
async function expectServed(): Promise<void> {
  await group.drain();
  expect(group.listed(2)).toBe(size);
  expect(new Set(group.pushed(2))).toEqual(new Set(group.members));
  expect(group.rowOf(group.member(1))).toMatchObject({ lastUcount: 1, ownSeq: 0 });
}

describe("a process that dies while it serves", () => {
  test.each([
    ["before it has read who the members are", "groups.intervals"],
    ["before it has read the rows", "log.read.latest"],
    ["when the list rows are written and nobody was told", "log.writeLists"],
  ])("%s leaves it to the next one", async (_, operation) => {
    await sendOne();
    const mortal = mortalPorts(group.world.ports());
    group.weather.during.set(operation, () => mortal.kill());
    // What was read at the beginning is known to the process: this one has read nothing yet.
    await group.startWorkers(mortal.ports);
    await group.settle(500);
    expect(mortal.dead).toBe(true);
    expect((await group.world.fanOut.lag()).jobsWaiting).toBe(limits.fanOutChunks);
    expect(group.pushed(2)).toHaveLength(0);
    group.world.fanOut.disconnectAll();
    await expectServed();
    expect(group.pushed(2)).toHaveLength(size);
  });

  test("when it has told everyone, and its commit was never heard, repeats what does no harm", async () => {
    await sendOne();
    const ports = group.world.ports();
    const deaf: CorePorts = {
      ...ports,
      bus: {
        ...ports.bus,
        deliver(delivery) {
          ports.bus.deliver(delivery);
          if (group.pushed(2).length >= size) group.world.fanOut.disconnectAll();
        },
      },
    };
    await group.startWorkers(deaf);
    await group.settle(5_000);
    expect(group.pushed(2)).toHaveLength(size);
    // Those of the chunks that were ready before.
    expect((await group.world.fanOut.lag()).jobsWaiting).toBeGreaterThan(0);
    await expectServed();
  });
});

describe("a store that does not answer", () => {
  test.each(["groups.intervals", "log.read.latest", "log.writeLists", "log.writeLists.answer"])(
    "(%s) brings the work again until it does",
    async (operation) => {
      await sendOne();
      group.weather.failing.add(operation);
      const workers = await group.startWorkers();
      await group.settle(3 * limits.fanOutRetryMs);
      expect(group.outcomes).toContain("failed");
      expect((await group.world.fanOut.lag()).jobsWaiting).toBe(limits.fanOutChunks);
      group.weather.failing.clear();
      await group.settle(2 * limits.fanOutRetryMs);
      await workers.stop();
      await expectServed();
    },
  );
});

test("what can never be done is dropped and told, and does not hold up what comes after", async () => {
  await sendOne();
  const ports = group.world.ports();
  let broken = true;
  const { log } = ports;
  const failing: CorePorts = {
    ...ports,
    log: {
      bucketRows: log.bucketRows,
      newestBucket: (...request) => log.newestBucket(...request),
      append: (request) => log.append(request),
      readBucket: (...request) => log.readBucket(...request),
      writeLists: (writes) => (broken ? Promise.reject(new TypeError("a mistake")) : log.writeLists(writes)),
    },
  };
  const workers = await group.startWorkers(failing);
  await group.settle(500);
  expect(group.outcomes.filter((outcome) => outcome === "dropped")).toHaveLength(limits.fanOutChunks);
  broken = false;
  await group.send(group.owner, group.draft(2));
  await group.settle(limits.fanOutCeilingMs);
  await workers.stop();
  expect(group.listed(3)).toBe(size);
});

test("what waits for the same members is done as one: one write a member, every row pushed in order", async () => {
  for (let since = 1; since < 6; since++) await group.send(group.owner, group.draft(since));
  group.world.hub.deliveries.length = 0;
  const { writeLists } = group.world.log.calls;
  await group.drain();
  const sizes = Array.from({ length: limits.fanOutChunks }, () => 0);
  for (const userId of group.members) sizes[chunkOf(userId)]!++;
  const steps = sizes.reduce((sum, members) => sum + Math.ceil(members / limits.fanOutStepMembers), 0);
  expect(group.world.log.calls.writeLists - writeLists).toBe(steps);
  expect(group.listed(6)).toBe(size);
  for (let seq = 2; seq <= 6; seq++) expect(group.pushed(seq)).toHaveLength(size);
  const someone = group.member(7);
  const order = group.world.hub.deliveries.flatMap(({ userIds, frame }) =>
    frame.type === "NEW_MESSAGE" && userIds.includes(someone) ? [frame.seq] : [],
  );
  expect(order).toEqual([2, 3, 4, 5, 6]);
});

test("what is sent while an earlier message waits for its turn goes along with it, and is told once", async () => {
  const workers = await group.startWorkers();
  const full = limits.membersPerGroupMax / size;
  // The group's burst is used up; from here on one message in fanOutSpreadMs.
  let head = 1;
  for (let count = 0; count < full; count++) {
    await group.send(group.owner, group.draft(head++));
    await group.settle(1_000);
  }
  const first = head + 1;
  const sentAt = group.world.clock.nowMs();
  for (let count = 0; count < 12; count++) {
    await group.send(group.owner, group.draft(head++));
    await group.settle(500);
  }
  const rest = limits.fanOutSpreadMs + 500 - (group.world.clock.nowMs() - sentAt);
  await group.settle(rest);
  for (let seq = first; seq < first + 6; seq++) expect(new Set(group.pushed(seq)).size).toBe(size);
  await group.settle(limits.fanOutSpreadMs);
  await workers.stop();
  expect(group.listed(head)).toBe(size);
  for (let seq = first; seq <= head; seq++) {
    // The sender's own devices were told at once as well.
    expect(group.pushed(seq)).toHaveLength(size + 1);
  }
  expect((await group.world.fanOut.lag()).jobsWaiting).toBe(0);
});

test("of a long run only the newest rows are pushed; the lists are right all the same", async () => {
  const last = 1 + limits.fanOutPushRows + 20;
  for (let since = 1; since < last; since++) await group.send(group.owner, group.draft(since));
  group.world.hub.deliveries.length = 0;
  // More than one call: the first ones are a part of the jobs only.
  await group.drain();
  expect(group.listed(last)).toBe(size);
  const { bus, ...ports } = group.world.ports();
  const told: number[] = [];
  const deliver: CorePorts["bus"]["deliver"] = ({ frame }) => {
    if (frame.type === "NEW_MESSAGE") told.push(frame.seq);
  };
  await group.world.fanOut.enqueue([
    { conversationId: group.groupId, fromSeq: 2, toSeq: last, chunk: 0, membership: 1 },
  ]);
  await group.startWorkers({ ...ports, bus: { ...bus, deliver } });
  await group.settle(limits.fanOutCeilingMs);
  const perStep = told.slice(0, limits.fanOutPushRows);
  expect(perStep).toEqual(Array.from({ length: limits.fanOutPushRows }, (_, index) => 22 + index));
  expect(new Set(told)).toEqual(new Set(perStep));
});

test("stopping leaves what waits for its turn in the queue", async () => {
  const workers = await group.startWorkers();
  for (let since = 1; since < 4; since++) {
    await group.send(group.owner, group.draft(since));
    await group.settle(100);
  }
  await workers.stop();
  await workers.stop();
  const { jobsWaiting } = await group.world.fanOut.lag();
  expect(jobsWaiting).toBeGreaterThan(0);
  const served = group.listed(4);
  await group.settle(limits.fanOutCeilingMs);
  expect(group.listed(4)).toBe(served);
  await group.drain();
  expect(group.listed(4)).toBe(size);
});

describe("members who come and go while messages wait", () => {
  test("nobody is skipped, whoever leaves between the send and the job", async () => {
    await sendOne();
    const leavers = [group.member(3), group.member(200), group.member(499)];
    await group.change(group.owner, 1, { kind: "remove", userIds: leavers });
    await group.drain();
    for (const userId of group.members) {
      expect(group.pushed(2), `row 2 for ${userId} in chunk ${chunkOf(userId)}`).toContain(userId);
      expect(group.rowOf(userId).lastSeq).toBe(3);
    }
  });

  test("one who was removed is not told what came after, though the process knew the members before", async () => {
    const gone = group.member(4);
    const workers = await group.startWorkers();
    await group.send(group.owner, group.draft(1));
    await group.settle(limits.fanOutCeilingMs);
    await group.change(group.owner, 1, { kind: "add", userIds: [group.world.user()] });
    await group.change(group.owner, 2, { kind: "remove", userIds: [gone] });
    await group.send(group.owner, group.draft(4));
    await group.settle(limits.fanOutCeilingMs);
    await workers.stop();
    expect(group.pushed(2)).toContain(gone);
    expect(group.pushed(4)).toContain(gone);
    expect(group.pushed(5)).not.toContain(gone);
    expect(group.pushed(5)).toHaveLength(group.members.length + 1);
    expect(group.rowOf(gone)).toMatchObject({ lastSeq: 4, leftSeq: 5 });
  });

  test("who joins or leaves finds it in the own list at once, the others when it is their turn", async () => {
    const newcomer = group.world.user();
    await group.change(group.owner, 1, { kind: "add", userIds: [newcomer] });
    const row = group.world.lists.rowOf(newcomer, group.groupId);
    expect(row).toMatchObject({ joinedSeq: 2, lastSeq: 2, readSeq: 1 });
    expect(group.rowOf(group.owner).lastSeq).toBe(2);
    expect(group.rowOf(group.member(1)).lastSeq).toBe(1);
    expect(new Set(group.pushed(2))).toEqual(new Set([newcomer, group.owner]));
    await group.drain();
    expect(group.listed(2)).toBe(size);
    expect(new Set(group.pushed(2))).toEqual(new Set([...group.members, newcomer]));
  });

  test("many who join at once are told the row of it, also by a worker that comes before the change is settled", async () => {
    const newcomers = Array.from({ length: size }, () => group.world.user());
    let told = 0;
    group.weather.during.set("groups.settle", async () => {
      await group.drain();
      told = group.pushed(2).length;
    });
    await group.change(group.owner, 1, { kind: "add", userIds: newcomers });
    expect(told).toBe(2 * size);
    for (const userId of newcomers) {
      const row = group.world.lists.rowOf(userId, group.groupId);
      expect(row).toMatchObject({ joinedSeq: 2, lastSeq: 2, readSeq: 1, recvSeq: 1 });
    }
    expect(group.listed(2)).toBe(size);
  });

  test("a change is not begun when the queue is gone", async () => {
    group.weather.failing.add("fanOut.ready");
    await expect(group.change(group.owner, 1, { kind: "rename", name: "herd" })).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(group.world.groups.groupOf(group.groupId)?.membership).toBe(1);
  });

  test("a change whose process died before the queue had it is finished by whoever comes next", async () => {
    const mortal = mortalPorts(group.world.ports());
    group.weather.during.set("fanOut.enqueue", () => mortal.kill());
    group.weather.failing.add("fanOut.enqueue");
    const core = createDeliveryCore(group.world, { ports: mortal.ports });
    const request = { kind: "rename", name: "herd" } as const;
    void core.groups.change({ userId: group.owner, device: 1 }, group.groupId, group.world.id(), 1, request);
    await group.settle();
    group.weather.failing.clear();
    expect(group.world.log.headOf(group.groupId)?.head).toBe(2);
    expect(group.world.groups.changesOf(group.groupId).at(-1)?.seq).toBe(0);
    await group.send(group.member(9), group.draft(2), createDeliveryCore(group.world));
    await group.drain();
    expect(group.listed(3)).toBe(size);
    expect(group.pushed(2).length).toBeGreaterThanOrEqual(size);
  });
});

describe("crossing the border between direct and queued sends", () => {
  test("either way and with messages under way, everyone ends with the newest row and an exact count", async () => {
    const workers = await group.startWorkers();
    const others: Uuid[] = [group.world.user(), group.world.user()];
    const other = createDeliveryCore(group.world, { cacheTtlMs: 0 });
    let sent = 0;
    const say = (from: number): Promise<unknown> => {
      sent++;
      const server = sent % 2 === 0 ? other : group.core;
      return group.send(group.member(from), group.draft(1), server);
    };
    // 500 → 499 → 498 → 499 → 500 → 501 → 502 members.
    const twice = [group.member(20), group.member(21)];
    const steps: readonly GroupRequest[] = [
      ...twice.map((userId) => ({ kind: "remove", userIds: [userId] }) as const),
      ...[...twice, ...others].map((userId) => ({ kind: "add", userIds: [userId] }) as const),
    ];
    for (const request of steps) {
      const membership = group.world.groups.groupOf(group.groupId)?.membership ?? 0;
      const sends = [say(1), say(2)];
      const changing = group.change(group.owner, membership, request);
      await Promise.all([...sends, changing, say(3), say(4)]);
      await group.settle(200);
    }
    await group.settle(2 * limits.fanOutCeilingMs);
    await workers.stop();
    const rows = group.world.log.rowsOf(group.groupId);
    const head = rows.length;
    const texts = sent;
    expect(head).toBe(1 + texts + steps.length);
    for (const userId of [...group.members, ...others]) {
      expect(group.rowOf(userId)).toMatchObject({ lastSeq: head, lastUcount: texts });
    }
    for (const index of [1, 2, 3, 4]) {
      const own = rows.findLast((row) => row.senderId === group.member(index))?.seq;
      expect(group.rowOf(group.member(index)).ownSeq).toBe(own);
    }
    expect(group.outcomes).not.toContain("dropped");
  });
});
