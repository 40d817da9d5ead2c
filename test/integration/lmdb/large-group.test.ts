import { describe, expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createSystemRandom } from "../../../src/base/random.ts";
import type { CorePorts, GroupRequest, MessageDraft } from "../../../src/core/api.ts";
import { createCore } from "../../../src/core/create-core.ts";
import { createFanOutWorkers } from "../../../src/core/fan-out/create-fan-out-workers.ts";
import type { Delivery } from "../../../src/core/ports/bus.ts";
import { createUuidV7, type Uuid } from "../../../src/protocol/ids.ts";
import { kinds } from "../../../src/protocol/kinds.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import { createLmdbConversationSettings } from "../../../src/stores/lmdb/conversation-settings.ts";
import type { Environment } from "../../../src/stores/lmdb/environment.ts";
import { createLmdbFanOutQueue } from "../../../src/stores/lmdb/fan-out-queue.ts";
import { createLmdbGroups } from "../../../src/stores/lmdb/groups.ts";
import { createLmdbMediaRows } from "../../../src/stores/lmdb/media.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { createLmdbReceipts } from "../../../src/stores/lmdb/receipts.ts";
import { createLmdbRelations } from "../../../src/stores/lmdb/relations.ts";
import { createLmdbUsers } from "../../../src/stores/lmdb/users.ts";
import { openTestEnvironment } from "../../contract/lmdb-environment.ts";

const random = createSystemRandom();
const newId = (): Uuid => createUuidV7(Date.now(), random);
const device = (userId: Uuid) => ({ userId, device: 1 });

/** A core on LMDB as the server puts it together, and what it pushes. */
function openCore(environment: Environment) {
  const deliveries: Delivery[] = [];
  const ports: CorePorts = {
    log: createLmdbMessageLog(environment),
    lists: createLmdbConversationLists(environment),
    receipts: createLmdbReceipts(environment),
    groups: createLmdbGroups(environment),
    users: createLmdbUsers(environment),
    relations: createLmdbRelations(environment),
    settings: createLmdbConversationSettings(environment),
    media: createLmdbMediaRows(environment),
    fanOut: createLmdbFanOutQueue(environment, { clock: systemClock }),
    bus: {
      deliver: (delivery) => void deliveries.push(delivery),
      announce: () => Promise.resolve(true),
      hearing: () => ({ sinceMs: -Infinity, toMs: Infinity }),
      subscribe: () => undefined,
    },
    clock: systemClock,
    random,
  };
  const errors: unknown[] = [];
  const observe = (_outcome: string, _members: number, error: unknown): void => {
    if (error !== undefined) errors.push(error);
  };
  return {
    ports,
    core: createCore(ports, {}),
    workers: createFanOutWorkers({ ...ports, observe }),
    deliveries,
    errors,
  };
}

async function createUsers({ users }: CorePorts, count: number): Promise<readonly Uuid[]> {
  const made = Array.from({ length: count }, () => ({ userId: newId(), displayName: "", createdAt: Date.now() }));
  expect(await users.create(made.map((user) => ({ ...user, handle: `u${user.userId}` })))).toEqual([]);
  return made.map(({ userId }) => userId);
}

function draftTo(conversation: Uuid, since: number): MessageDraft {
  return { to: { conversation }, messageId: newId(), since, kind: kinds.text, envelope: Buffer.from("hello") };
}

describe("a large group on lmdb", () => {
  test("crosses the border between direct and queued sends either way, while everyone writes", async () => {
    await using environment = await openTestEnvironment();
    const { ports, core, workers, errors } = openCore(environment.open);
    const members = await createUsers(ports, limits.membersDirectFanOutMax + 2);
    const owner = present(members[0], "an owner");
    const last = present(members.at(-1), "a member");
    const groupId = newId();
    const change = (version: number, request: GroupRequest) =>
      core.groups.change(device(owner), groupId, newId(), version, request);
    await change(0, { kind: "create", name: "crowd", userIds: members.slice(1, -1) });
    await workers.start();
    const gates = new Map(members.slice(0, 8).map((userId) => [userId, core.delivery.createGate()]));
    let sent = 0;
    const everyone = () =>
      Array.from(gates, ([userId, gate]) => {
        sent++;
        return core.delivery.send(device(userId), gate, draftTo(groupId, 1));
      });
    // 500 → 499 → 500 → 501 → 500 members.
    const steps: readonly GroupRequest[] = [
      { kind: "remove", userIds: [present(members[100], "a member")] },
      { kind: "add", userIds: [present(members[100], "a member")] },
      { kind: "add", userIds: [last] },
      { kind: "remove", userIds: [last] },
    ];
    for (const [index, request] of steps.entries()) {
      const before = everyone();
      const changing = change(1 + index, request);
      await Promise.all([...before, changing, ...everyone()]);
    }
    const head = (await ports.log.newestBucket(groupId, 0, "serial"))?.head.head;
    expect(head).toBe(1 + steps.length + sent);
    while ((await ports.fanOut.lag()).jobsWaiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await workers.stop();
    for (const userId of members) {
      const row = await ports.lists.one(userId, groupId);
      if (userId !== last) expect(row).toMatchObject({ lastSeq: head, lastUcount: sent });
    }
    // It reads its own removal, and nothing of what came after.
    const left = await ports.lists.one(last, groupId);
    expect(left?.lastSeq).toBe((left?.leftSeq ?? 0) - 1);
    expect(errors).toEqual([]);
  });

  test("takes no message while its queue is full, and nothing of it is in the log", async () => {
    await using environment = await openTestEnvironment();
    const { ports, core, workers, deliveries } = openCore(environment.open);
    const members = await createUsers(ports, limits.membersDirectFanOutMax + 1);
    const [owner, ...userIds] = members as [Uuid, ...Uuid[]];
    const groupId = newId();
    await core.groups.change(device(owner), groupId, newId(), 0, { kind: "create", name: "crowd", userIds });
    const stranger = newId();
    const jobs = Array.from({ length: limits.fanOutJobsWaitingMax }, (_, index) => ({
      conversationId: stranger,
      fromSeq: index + 1,
      toSeq: index + 1,
      chunk: 0,
      membership: 1,
    }));
    await ports.fanOut.enqueue(jobs);
    const gate = core.delivery.createGate();
    const draft = draftTo(groupId, 1);
    const refused = { code: "overloaded", temporary: true, undecided: false };
    await expect(core.delivery.send(device(owner), gate, draft)).rejects.toMatchObject(refused);
    const rename = { kind: "rename", name: "herd" } as const;
    await expect(core.groups.change(device(owner), groupId, newId(), 1, rename)).rejects.toMatchObject(refused);
    expect((await ports.log.newestBucket(groupId, 0, "serial"))?.head).toMatchObject({ head: 1, membership: 1 });
    await workers.start();
    while ((await ports.fanOut.lag()).jobsWaiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await core.delivery.send(device(owner), gate, draft)).toMatchObject({ seq: 2 });
    while ((await ports.fanOut.lag()).jobsWaiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await workers.stop();
    const told = deliveries.flatMap(({ frame, userIds: to }) =>
      frame.type === "NEW_MESSAGE" && frame.seq === 2 ? to : [],
    );
    expect(new Set(told)).toEqual(new Set(members));
  });
});
