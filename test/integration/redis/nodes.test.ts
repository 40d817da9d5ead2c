import { expect, test } from "vitest";
import { eventually } from "../../helpers/eventually.ts";
import type { Delivery } from "../../../src/core/ports/bus.ts";
import { encodeBatch } from "../../../src/stores/redis/bus-batch.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import type { RedisNodeOptions } from "../../../src/stores/redis/redis-node.ts";
import { receive, startTestNode, type TestNode } from "../../helpers/redis-nodes.ts";
import { startRedis, type RedisServer } from "../../helpers/redis-server.ts";

const user = "018bcfe5-6800-7000-8000-000000000001";
const delivery = (reason: string): Delivery => ({ userIds: [user], frame: { type: "RESYNC", reason } });
/** Leases that end within a test. A busy machine may let one end by itself: not for tests in which nothing may be lost. */
const timing = { leaseTtlMs: 600, renewEveryMs: 200, lossPauseMs: 1 };
const calm = { lossPauseMs: 1 };
const watchful = { ...calm, renewEveryMs: 300 };

async function startPair(
  server: RedisServer,
  mode: "literal" | "lease" = "literal",
  leases: RedisNodeOptions["timing"] & object = calm,
) {
  const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
  const near = receive(await startTestNode(settings, { nodeId: "near", presenceMode: mode, timing: leases }));
  const far = receive(await startTestNode(settings, { nodeId: "far", presenceMode: mode, timing: leases }));
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      await far[Symbol.asyncDispose]();
      await near[Symbol.asyncDispose]();
    },
  };
}

/** What the server does when it hears of a loss. */
function registerOnLoss({ node }: TestNode): void {
  node.registry.onLost(() => {
    const again = (): void => {
      node.registry.refresh(user, 1, "c1").catch(() => setTimeout(again, 50));
    };
    again();
  });
}

const arrives = async (from: TestNode, to: TestNode, reason: string): Promise<void> =>
  eventually(() => {
    from.node.bus.deliver(delivery(reason));
    expect(to.deliveries.map(({ frame }) => (frame as { reason: string }).reason)).toContain(reason);
  });

describeOn(["redis"], "server processes on a Redis that fails", () => {
  test("nothing is lost while nothing fails, and nobody is told so", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    await pair.far.node.registry.register(user, 1, "c1");
    for (let round = 0; round < 50; round++) pair.near.node.bus.deliver(delivery(`${round}`));
    await eventually(() => expect(pair.far.deliveries).toHaveLength(50));
    let beacons = 0;
    pair.far.redis.subscriber.on("smessage", (_, text: string) => (beacons += text.includes('"beacon"') ? 1 : 0));
    await eventually(() => expect(beacons).toBeGreaterThanOrEqual(2));
    expect([...pair.near.losses, ...pair.far.losses]).toEqual([]);
    expect([...pair.near.errors, ...pair.far.errors]).toEqual([]);
  });

  test("deliveries while Redis is gone throw nothing and wait for nothing; when it is back both hear of a loss", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    registerOnLoss(pair.far);
    await pair.far.node.registry.register(user, 1, "c1");
    await server.kill();
    await eventually(() => expect(pair.near.redis.lost()).toBe(true));
    for (let round = 0; round < 1_000; round++) pair.near.node.bus.deliver(delivery(`${round}`));
    expect(pair.near.deliveries).toHaveLength(1_000);
    expect(pair.near.node.dropped()).toBeGreaterThanOrEqual(1_000);
    await expect(pair.far.node.registry.register(user, 2, "c2")).rejects.toMatchObject({ code: "store_unavailable" });
    await server.restart();
    await eventually(() => expect(pair.far.losses).not.toEqual([]));
    await eventually(() => expect(pair.near.losses).not.toEqual([]));
    await arrives(pair.near, pair.far, "after");
  });

  test("a subscription that is cut is a loss, and is there again", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    await pair.far.node.registry.register(user, 1, "c1");
    await pair.near.redis.commands.call("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually(() => expect(pair.far.losses).toContain("this process did not hear the others for a while"));
    await arrives(pair.near, pair.far, "after");
  });

  test("what is delivered while Redis is paused is a loss, and deliveries arrive again", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    registerOnLoss(pair.far);
    await pair.far.node.registry.register(user, 1, "c1");
    server.signal("SIGSTOP");
    await eventually(() => expect(pair.near.redis.lost()).toBe(true));
    pair.near.node.bus.deliver(delivery("meanwhile"));
    server.signal("SIGCONT");
    await eventually(() => expect(pair.far.losses).not.toEqual([]));
    await arrives(pair.near, pair.far, "after");
  });

  test.each(["literal", "lease"] as const)("FLUSHALL is a loss at every process; %s", async (mode) => {
    await using server = await startRedis();
    await using pair = await startPair(server, mode);
    registerOnLoss(pair.far);
    await pair.far.node.registry.register(user, 1, "c1");
    const beat = (device: number) => pair.far.node.presence.beat(user, device, `c${device}`, Date.now());
    await Promise.all([beat(1), beat(2)]);
    await pair.near.redis.commands.flushall();
    await eventually(() => expect(pair.far.losses).not.toEqual([]));
    await eventually(() => expect(pair.near.losses).not.toEqual([]));
    await arrives(pair.near, pair.far, "after");
    await Promise.all([beat(1), beat(2)]);
    await eventually(async () =>
      expect(await pair.near.node.presence.lookup([user], Date.now())).toMatchObject([{ online: true }]),
    );
    // Redis knows of both again, so that one that leaves does not take the other along.
    await pair.far.node.presence.leave(user, 2, "c2", Date.now());
    expect(await pair.near.node.presence.lookup([user], Date.now())).toMatchObject([{ online: true }]);
  });

  test("a batch that is missing is a loss within the beacon's second", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    const { redis } = pair.near;
    const claims = await redis.commands.zrange(redis.keys.nodes, "0", "-1");
    const epochOf = (node: string) => claims.find((claim) => claim.startsWith(`${node}:`))?.split(":")[1] ?? "";
    const header = { from: "near", fromEpoch: epochOf("near"), toEpoch: epochOf("far") };
    await redis.commands.spublish(redis.keys.node("far"), encodeBatch({ ...header, kind: "beacon", counter: 3 }, []));
    await eventually(() => expect(pair.far.losses).toContain("3 batches of process near are missing"));
  });

  test("a process that died and begins again under its name is a loss", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using near = await startTestNode(settings, { nodeId: "near", timing: calm });
    await using dead = await startTestNode(settings, { nodeId: "other", timing });
    dead.redis.close();
    await using next = await startTestNode(settings, { nodeId: "other", timing: calm });
    await eventually(() => expect(near.losses).toContain("process other began anew"));
    expect(next.losses).toEqual([]);
  });

  test("a process that dies without a word is a loss before its lease ends", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using near = await startTestNode(settings, { nodeId: "near", timing: calm });
    await using dead = await startTestNode(settings, { nodeId: "dead", timing: { leaseTtlMs: 60_000 } });
    dead.redis.close();
    await eventually(() => expect(near.losses).toEqual(["process dead fell silent"]));
    expect(await near.redis.commands.exists(near.redis.keys.node("dead"))).toBe(1);
  });

  test("a process that says good-bye is no loss, and leaves nothing behind", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using near = await startTestNode(settings, { nodeId: "near", timing: calm });
    const polite = await startTestNode(settings, { nodeId: "polite", timing: calm });
    await polite[Symbol.asyncDispose]();
    expect(near.losses).toEqual([]);
    expect(await near.redis.commands.exists(near.redis.keys.node("polite"))).toBe(0);
  });

  test("what was delivered right before the end still arrives, and its end is no loss", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using far = receive(await startTestNode(settings, { nodeId: "far", timing: calm }));
    const near = await startTestNode(settings, { nodeId: "near", timing: calm });
    await far.node.registry.register(user, 1, "c1");
    const padding = "x".repeat(10_000);
    for (let round = 0; round < 500; round++) near.node.bus.deliver(delivery(padding));
    await near[Symbol.asyncDispose]();
    await eventually(() => expect(far.deliveries).toHaveLength(500));
    expect(far.losses).toEqual([]);
    expect(near.node.dropped()).toBe(0);
  });

  test("a lease that ended begins anew, and registrations and presence with it", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server, "lease", watchful);
    registerOnLoss(pair.far);
    await pair.far.node.registry.register(user, 1, "c1");
    await pair.far.node.presence.beat(user, 1, "c1", Date.now());
    const { commands, keys } = pair.near.redis;
    const before = await commands.hget(keys.connection(user), "1");
    expect(await pair.near.node.presence.lookup([user], Date.now())).toMatchObject([{ online: true }]);
    await commands.del(keys.node("far"));
    await eventually(() => expect(pair.far.losses).toContain("the lease of this process had ended"));
    await eventually(async () => {
      expect(await commands.hget(keys.connection(user), "1")).not.toBe(before);
      expect(await pair.near.node.presence.lookup([user], Date.now())).toMatchObject([{ online: true }]);
    });
    await arrives(pair.near, pair.far, "after");
  });

  test.each(["literal", "lease"] as const)("a user is online while a device is at any process; %s", async (mode) => {
    await using server = await startRedis();
    await using pair = await startPair(server, mode);
    const [near, far] = [pair.near.node.presence, pair.far.node.presence];
    const at = Date.now();
    await near.beat(user, 1, "c1", at);
    await far.beat(user, 2, "c2", at);
    await near.leave(user, 1, "c1", at);
    for (const presence of [near, far]) expect(await presence.lookup([user], at)).toMatchObject([{ online: true }]);
    await far.leave(user, 2, "c2", at);
    for (const presence of [near, far]) expect(await presence.lookup([user], at)).toMatchObject([{ online: false }]);
  });

  test.each(["literal", "lease"] as const)(
    "a device that moved to another process is not taken down with the old connection; %s",
    async (mode) => {
      await using server = await startRedis();
      await using pair = await startPair(server, mode);
      const at = Date.now();
      await pair.near.node.presence.beat(user, 1, "old", at);
      await pair.far.node.presence.beat(user, 1, "new", at);
      await pair.near.node.presence.leave(user, 1, "old", at);
      expect(await pair.near.node.presence.lookup([user], at)).toMatchObject([{ online: true }]);
      await pair.far.node.presence.leave(user, 1, "new", at);
      expect(await pair.near.node.presence.lookup([user], at)).toMatchObject([{ online: false }]);
    },
  );

  test("whoever is connected to a process that died looks offline once its lease ended", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using dead = await startTestNode(settings, { nodeId: "dead", presenceMode: "lease", timing });
    await using looking = await startTestNode(settings, { nodeId: "looking", presenceMode: "lease", timing: calm });
    await dead.node.presence.beat(user, 1, "c1", 1_000);
    dead.redis.close();
    await eventually(async () => {
      expect(await looking.node.presence.lookup([user], 1_000)).toEqual([{ online: false, lastSeenAt: 1_000 }]);
    });
  });

  test("two processes of one name: the second does not start; one whose lease was taken claims nothing", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server, "literal", watchful);
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await expect(startTestNode(settings, { nodeId: "far", timing: watchful })).rejects.toMatchObject({
      name: "StoreError",
      message: 'Another server process runs under the name "far".',
    });
    await pair.near.redis.commands.set(pair.near.redis.keys.node("far"), "another");
    await eventually(() => expect(pair.far.node.failure()).toMatchObject({ name: "StoreError" }));
    await expect(pair.far.node.registry.register(user, 1, "c1")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await pair.far.node.registry.refresh(user, 1, "c1")).toBe("unsettled");
    await eventually(() => expect(pair.far.losses).toEqual(['Another server process runs under the name "far".']));
  });

  test("a lease under its name that nobody renews, as Redis remembers after it came back with an older memory, is outlasted", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server, "literal", watchful);
    await pair.near.redis.commands.set(pair.near.redis.keys.node("far"), "an epoch of before", "PX", 900);
    await eventually(() => expect(pair.far.losses).toContain("the lease of this process had ended"));
    expect(pair.far.node.failure()).toBeUndefined();
    expect(await pair.near.redis.commands.get(pair.near.redis.keys.node("far"))).not.toBe("an epoch of before");
  });

  test("the lease of a process that died is waited for", async () => {
    await using server = await startRedis();
    await using near = await startTestNode({ url: server.url, keyPrefix: "t:" }, { nodeId: "near", timing });
    await near.redis.commands.set(near.redis.keys.node("dead"), "epoch", "PX", 700);
    await using next = await startTestNode({ url: server.url, keyPrefix: "t:" }, { nodeId: "dead", timing });
    expect(next.node.failure()).toBeUndefined();
  });

  test.each(["literal", "lease"] as const)(
    "a device that registers elsewhere is found replaced at once, without a heartbeat of the old connection; %s",
    async (mode) => {
      await using server = await startRedis();
      await using pair = await startPair(server, mode);
      const { near, far } = pair;
      const heard: unknown[] = [];
      near.node.registry.onDisplaced((...news) => {
        void near.node.registry.refresh(user, 1, "old").then((refreshed) => heard.push([...news, refreshed]));
      });
      await near.node.registry.register(user, 1, "old");
      expect(await near.node.registry.refresh(user, 1, "old")).toBe("held");
      await far.node.registry.register(user, 1, "new", await far.node.registry.register(user, 1, "new"));
      await eventually(() => expect(heard).toEqual([[user, "old", "replaced"]]));
    },
  );

  test("the sentinel after FLUSHALL is another one, although the process that sets it is the same", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    await using near = await startTestNode(settings, { nodeId: "near", timing: calm });
    const { commands, keys } = near.redis;
    const before = await commands.get(keys.epoch);
    await commands.flushall();
    await eventually(async () => expect(await commands.get(keys.epoch)).not.toBeNull());
    expect(await commands.get(keys.epoch)).not.toBe(before);
  });

  test("after FLUSHALL nobody is replaced for good by what an older connection registered again", async () => {
    await using server = await startRedis();
    const settings = { url: server.url, keyPrefix: "t:", timeoutMs: 500 };
    const patient = { ...watchful, lossPauseMs: 60_000 };
    await using near = await startTestNode(settings, { nodeId: "near", timing: patient });
    await near.node.registry.register(user, 1, "c1");
    await near.redis.commands.flushall();
    // Another process noticed first.
    await near.redis.commands.set(near.redis.keys.epoch, "new");
    await near.redis.commands.hset(near.redis.keys.connection(user), "1", "other:epoch:older");
    expect(await near.node.registry.refresh(user, 1, "c1")).toBe("unsettled");
  });

  test("a full Redis refuses registrations by name and is no loss of what is there", async () => {
    await using server = await startRedis();
    await using pair = await startPair(server);
    await pair.far.node.registry.register(user, 1, "c1");
    await pair.near.redis.commands.config("SET", "maxmemory", "1mb");
    await expect(pair.far.node.registry.register(user, 2, "c2")).rejects.toMatchObject({ code: "storage_full" });
    await arrives(pair.near, pair.far, "while it is full");
    await pair.near.redis.commands.config("SET", "maxmemory", "0");
  });
});
