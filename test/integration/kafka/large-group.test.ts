import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createSystemRandom } from "../../../src/base/random.ts";
import type { MessageDraft } from "../../../src/core/api.ts";
import { createCore } from "../../../src/core/create-core.ts";
import { createFanOutWorkers } from "../../../src/core/fan-out/create-fan-out-workers.ts";
import { createUuidV7, type Uuid } from "../../../src/protocol/ids.ts";
import { kinds } from "../../../src/protocol/kinds.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { openClusterStores } from "../../../src/server/context-cluster.ts";
import type { Config } from "../../../src/server/config/config-schema.ts";
import { kafkaSettings } from "../../../src/server/store-options.ts";
import { deleteTopic, LogLines } from "../../helpers/kafka.ts";
import { dropCassandra, dropPostgres, prepareCassandra, preparePostgres } from "../../helpers/migrated-stores.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";

const config = realStoreConfig();
const random = createSystemRandom();
const newId = (): Uuid => createUuidV7(Date.now(), random);
const device = (userId: Uuid) => ({ userId, device: 1 });

/** A server process on the real stores, without its sockets. */
async function openProcess(nodeId: string, settings: Config = config) {
  const log = new LogLines();
  const stores = await openClusterStores(settings, { clock: systemClock, log: log.logger, nodeId });
  const ports = { ...stores, clock: systemClock, random, media: stores.mediaRows };
  const served = { members: 0, errors: [] as unknown[] };
  const workers = createFanOutWorkers({
    ...ports,
    observe(_outcome, members, error) {
      served.members += members;
      if (error !== undefined) served.errors.push(error);
    },
  });
  onTestFinished(async () => {
    await workers.stop();
    await stores.close();
  });
  return { stores, core: createCore(ports, {}), workers, served };
}

function draftTo(conversation: Uuid, since: number): MessageDraft {
  return { to: { conversation }, messageId: newId(), since, kind: kinds.text, envelope: Buffer.from("hello") };
}

type Process = Awaited<ReturnType<typeof openProcess>>;

async function createGroup({ stores, core }: Process, size: number) {
  const made = Array.from({ length: size }, newId);
  const users = made.map((userId) => ({
    userId,
    displayName: "",
    createdAt: Date.now(),
    handle: `u${userId.replaceAll("-", "").slice(4)}`,
  }));
  expect(await stores.users.create(users)).toEqual([]);
  const owner = present(made[0], "an owner");
  const groupId = newId();
  await core.groups.change(device(owner), groupId, newId(), 0, {
    kind: "create",
    name: "crowd",
    userIds: made.slice(1),
  });
  return { owner, groupId, members: made };
}

async function reached({ stores }: Process, members: readonly Uuid[], groupId: Uuid, seq: number): Promise<number> {
  const rows = await Promise.all(members.map((userId) => stores.lists.one(userId, groupId)));
  return rows.filter((row) => row?.lastSeq === seq).length;
}

describeOn(["cassandra", "postgres", "redis", "s3", "kafka"], "a large group on the real stores", () => {
  beforeAll(async () => {
    await prepareCassandra(config);
    await preparePostgres(config);
  }, 120_000);
  afterAll(async () => {
    await dropCassandra(config);
    await dropPostgres(config);
    await deleteTopic(kafkaSettings(config));
  }, 60_000);

  test("of 1,024 is listed for everyone, by two processes", { timeout: 240_000 }, async () => {
    const [one, two] = [await openProcess("one"), await openProcess("two")];
    const { owner, groupId, members } = await createGroup(one, limits.membersPerGroupMax);
    await one.workers.start();
    await two.workers.start();
    const gate = one.core.delivery.createGate();
    const sent = await one.core.delivery.send(device(owner), gate, draftTo(groupId, 1));
    const within = { timeout: 90_000, interval: 200 };
    await vi.waitFor(async () => expect(await reached(one, members, groupId, sent.seq)).toBe(members.length), within);
    await vi.waitFor(async () => expect((await two.stores.fanOut.lag()).jobsWaiting).toBe(0), within);
    expect([...one.served.errors, ...two.served.errors]).toEqual([]);
  });

  test("takes no message without its Kafka, and nothing of it is in the log", { timeout: 120_000 }, async () => {
    const one = await openProcess("one");
    const { owner, groupId } = await createGroup(one, limits.membersDirectFanOutMax + 1);
    // Port 1 is nobody's.
    const alone = await openProcess("alone", { ...config, kafka: { ...config.kafka, brokers: "127.0.0.1:1" } });
    const gate = alone.core.delivery.createGate();
    await expect(alone.core.delivery.send(device(owner), gate, draftTo(groupId, 1))).rejects.toMatchObject({
      code: "store_unavailable",
      temporary: true,
      undecided: false,
    });
    expect((await one.stores.log.newestBucket(groupId, 0, "serial"))?.head.head).toBe(1);
    const few = await createGroup(alone, limits.membersDirectFanOutMax);
    expect(await alone.core.delivery.send(device(few.owner), gate, draftTo(few.groupId, 1))).toMatchObject({ seq: 2 });
  });
});
