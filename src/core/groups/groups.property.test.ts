import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { createDeliveryCore } from "../../../test/helpers/core-ports/delivery-core.ts";
import { checkLog, checkSender } from "../../../test/helpers/core-ports/log-checks.ts";
import { ModelSender } from "../../../test/helpers/core-ports/model-sender.ts";
import { ModelServers } from "../../../test/helpers/core-ports/model-servers.ts";
import { SeededWeather } from "../../../test/helpers/core-ports/seeded-weather.ts";
import { StepScheduler } from "../../../test/helpers/core-ports/step-scheduler.ts";
import { fairWeather } from "../../../test/helpers/core-ports/weather.ts";
import { createSeededRandom, randomBelow, type Random } from "../../base/random.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { GroupRequest } from "../api.ts";
import type { Group, LogRow } from "../model.ts";
import { recoverGroups } from "./recover-groups.ts";

interface Run {
  readonly world: MemoryWorld;
  readonly groupId: Uuid;
  readonly users: readonly Uuid[];
  readonly senders: readonly ModelSender[];
}

/** Asks for one change until it is told how it ended; undefined: it came too late or may not be made. */
async function change(
  servers: ModelServers,
  world: MemoryWorld,
  actor: Uuid,
  groupId: Uuid,
  version: number,
  request: GroupRequest,
): Promise<Group | undefined> {
  const messageId = world.id();
  for (let attempt = 0; attempt < 500; attempt++) {
    const { core, death } = servers.connect();
    try {
      const asked = core.groups.change({ userId: actor, device: 1 }, groupId, messageId, version, request);
      const group = await Promise.race([asked, death]);
      if (group !== undefined) return group;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (!error.temporary) return undefined;
    }
  }
  throw new Error("a change makes no progress");
}

async function currentGroup(servers: ModelServers, userId: Uuid, groupId: Uuid): Promise<Group | undefined> {
  const { core, death } = servers.connect();
  return (
    (await Promise.race([core.groups.get({ userId, device: 1 }, groupId).catch(() => undefined), death])) ?? undefined
  );
}

/** A member who comes and goes, brings others and throws them out. */
async function meddle(servers: ModelServers, world: MemoryWorld, random: Random, actor: Uuid, run: Run): Promise<void> {
  const pick = (userIds: readonly Uuid[]): Uuid[] => {
    const user = userIds[randomBelow(random, userIds.length || 1)];
    return user === undefined ? [] : [user];
  };
  for (let turn = randomBelow(random, 6); turn > 0; turn--) {
    const group = await currentGroup(servers, actor, run.groupId);
    if (group === undefined) continue;
    const members = group.members.map((member) => member.userId);
    const dice = random.float();
    const request: GroupRequest =
      dice < 0.4
        ? { kind: "add", userIds: pick(run.users.filter((userId) => !members.includes(userId))) }
        : dice < 0.8
          ? { kind: "remove", userIds: pick(members.filter((userId) => userId !== actor)) }
          : dice < 0.9
            ? { kind: "role", userIds: pick(members.filter((userId) => userId !== actor)), role: "admin" }
            : { kind: "leave" };
    await change(servers, world, actor, run.groupId, group.membership, request);
  }
}

async function stormyGroup(seed: number): Promise<Run> {
  const random = createSeededRandom(seed);
  const scheduler = new StepScheduler(random);
  const weather = new SeededWeather(random, { appends: random.float() * 0.4, operations: 0.02, deliveries: 0.1 }, () =>
    scheduler.pause(),
  );
  const world = createMemoryWorld({ weather, random, bucketRows: 1 + randomBelow(random, 5) });
  const users = Array.from({ length: 4 }, () => world.user());
  const servers = new ModelServers(world, random, { deaf: random.float() < 0.5 });
  const groupId = world.id();
  const [owner = ""] = users;
  const senders = users.map(
    (userId, index) =>
      new ModelSender({
        world,
        random,
        userId,
        device: 1,
        to: { conversation: groupId },
        conversationId: groupId,
        messages: index === 0 ? 3 : randomBelow(random, 5),
        connect: () => servers.connect(),
        accepts: ["not_a_member"],
      }),
  );
  const run = { world, groupId, users, senders };
  const killer = async (): Promise<void> => {
    for (let turn = randomBelow(random, 200); turn > 0; turn--) {
      await scheduler.pause();
      if (random.float() < 0.03) servers.kill();
    }
  };
  const everything = async (): Promise<void> => {
    await change(servers, world, owner, groupId, 0, { kind: "create", name: "storm", userIds: users.slice(1, 3) });
    await change(servers, world, owner, groupId, 1, { kind: "role", userIds: users.slice(1, 2), role: "owner" });
    const meddlers = users.slice(0, 3).map((userId) => meddle(servers, world, random, userId, run));
    await Promise.all([...senders.map((sender) => sender.run()), ...meddlers, killer()]);
    weather.calm();
    world.log.settleLate();
    await recoverGroups(createDeliveryCore(world).lanes);
  };
  await scheduler.run(everything(), 400_000);
  return run;
}

function checkChanges({ world, groupId }: Run, rows: readonly LogRow[]): void {
  const changes = world.groups.changesOf(groupId);
  const seqs = changes.map(
    (each) => rows.find((row) => row.messageId === each.messageId && row.kind === kinds.system)?.seq,
  );
  expect(
    changes.map((each) => each.seq),
    "every change is settled, with the seq of its row",
  ).toEqual(seqs);
  expect(seqs, "the log tells the changes in their order").toEqual(
    [...seqs].sort((one, other) => (one ?? 0) - (other ?? 0)),
  );
  expect(rows.filter((row) => row.kind === kinds.system).length, "one row a change").toBe(changes.length);
  expect(world.log.headOf(groupId)?.membership).toBe(changes.length);
}

async function checkMembers({ world, groupId, users }: Run, rows: readonly LogRow[]): Promise<void> {
  const intervals = await world.groups.intervals(groupId, undefined);
  const holds = (userId: Uuid, seq: number): boolean =>
    intervals.some(
      (each) => each.userId === userId && seq >= each.joinedSeq && (each.leftSeq === 0 || seq < each.leftSeq),
    );
  expect(intervals.every((each) => each.joinedSeq > 0)).toBe(true);
  for (const row of rows) expect(holds(row.senderId, row.seq), `${row.seq} was written by a member`).toBe(true);
  for (const userId of users) {
    const latest = intervals.findLast((each) => each.userId === userId);
    const row = world.lists.rowOf(userId, groupId);
    expect({ joinedSeq: row?.joinedSeq, leftSeq: row?.leftSeq }).toEqual({
      joinedSeq: latest?.joinedSeq,
      leftSeq: latest?.leftSeq,
    });
    const readable = rows.filter((each) => holds(userId, each.seq));
    expect(row?.lastSeq, "the list knows the last row that may be read").toBe(readable.at(-1)?.seq);
    expect(row?.ownSeq).toBe(row && (readable.findLast((each) => each.senderId === userId)?.seq ?? 0));
    expect(row === undefined || row.readSeq >= row.joinedSeq - 1, "what was before is read").toBe(true);
  }
}

describe("a group in a storm, with members coming and going", () => {
  test(
    "the log follows the changes one by one, and lists and intervals follow the log",
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.noBias(fc.nat()), async (seed) => {
          const run = await stormyGroup(seed);
          const rows = run.world.log.rowsOf(run.groupId);
          checkLog(rows);
          for (const sender of run.senders) checkSender(sender, rows);
          checkChanges(run, rows);
          run.world.groups.weather = fairWeather();
          await checkMembers(run, rows);
        }),
        { numRuns: 300 },
      );
      expect.hasAssertions();
    },
  );
});
