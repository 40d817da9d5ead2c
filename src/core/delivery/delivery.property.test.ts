import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { checkLog, checkSender } from "../../../test/helpers/core-ports/log-checks.ts";
import { ModelSender } from "../../../test/helpers/core-ports/model-sender.ts";
import { ModelServers } from "../../../test/helpers/core-ports/model-servers.ts";
import { SeededWeather } from "../../../test/helpers/core-ports/seeded-weather.ts";
import { StepScheduler } from "../../../test/helpers/core-ports/step-scheduler.ts";
import { createSeededRandom, randomBelow } from "../../base/random.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { LogRow } from "../model.ts";

interface Run {
  readonly world: MemoryWorld;
  readonly conversationId: Uuid;
  readonly users: readonly [Uuid, Uuid];
  readonly senders: readonly ModelSender[];
}

/** Two users with two devices each, writing to each other through servers that die, on stores that time out. */
async function stormyChat(seed: number): Promise<Run> {
  const random = createSeededRandom(seed);
  const scheduler = new StepScheduler(random);
  const weather = new SeededWeather(random, { appends: random.float() * 0.5, operations: 0.03, deliveries: 0.1 }, () =>
    scheduler.pause(),
  );
  const world = createMemoryWorld({ weather, random, bucketRows: 1 + randomBelow(random, 5) });
  const users = [world.user(), world.user()] as const;
  const conversationId = directConversationId(users[0], users[1]);
  const servers = new ModelServers(world, random);
  const senders = [0, 0, 1, 1].map(
    (who, index) =>
      new ModelSender({
        world,
        random,
        userId: users[who as 0 | 1],
        device: (index % 2) + 1,
        to: { user: users[who === 0 ? 1 : 0] },
        conversationId,
        messages: 1 + randomBelow(random, 6),
        connect: () => servers.connect(),
      }),
  );
  const blocker = async (): Promise<void> => {
    for (let turn = randomBelow(random, 3); turn > 0; turn--) {
      await scheduler.pause();
      const [ownerId, otherId] = users;
      await world.relations.putBlock(ownerId, otherId, random.float() < 0.5).catch(() => undefined);
      await world.hub.attach().announce({ notice: "blocks_changed", ownerId, otherId });
    }
  };
  const killer = async (): Promise<void> => {
    for (let turn = randomBelow(random, 60); turn > 0; turn--) {
      await scheduler.pause();
      if (random.float() < 0.05) servers.kill();
    }
  };
  await scheduler.run(Promise.all([...senders.map((sender) => sender.run()), blocker(), killer()]), 200_000);
  world.log.settleLate();
  return { world, conversationId, users, senders };
}

function checkLists({ world, conversationId, users }: Run, rows: readonly LogRow[]): void {
  for (const userId of users) {
    const row = world.lists.rowOf(userId, conversationId);
    const visible = rows.filter((each) => each.visibility === 0 || each.senderId === userId);
    expect(row?.lastSeq ?? 0, "the list knows the last row that may be seen").toBe(visible.at(-1)?.seq ?? 0);
    expect(row?.lastUcount ?? 0).toBe(visible.at(-1)?.ucount ?? 0);
    expect(row?.ownSeq ?? 0).toBe(rows.findLast((each) => each.senderId === userId)?.seq ?? 0);
  }
}

describe("a direct chat in a storm", () => {
  test("every message once, without gaps, in each sender's order, and in the lists", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat()), async (seed) => {
        const run = await stormyChat(seed);
        const rows = run.world.log.rowsOf(run.conversationId);
        checkLog(rows);
        for (const sender of run.senders) checkSender(sender, rows);
        checkLists(run, rows);
      }),
      { numRuns: 400 },
    );
    expect.hasAssertions();
  });
});
