import { expect, test } from "vitest";
import { eventually } from "../../helpers/eventually.ts";
import { createSystemRandom, type Random } from "../../../src/base/random.ts";
import { StoreError } from "../../../src/base/store-error.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { RateLimits } from "../../../src/core/ports/rate-limits.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { connectRedis, inspectRedis, type RedisClient } from "../../../src/stores/redis/connect.ts";
import { createLiteralPresence } from "../../../src/stores/redis/presence-literal.ts";
import { createRedisRateLimits } from "../../../src/stores/redis/rate-limits.ts";
import { createRedisTyping } from "../../../src/stores/redis/typing.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startRedis } from "../../helpers/redis-server.ts";

const settings = { keyPrefix: "t:", timeoutMs: 500 };
const rule = { burst: 1, intervalMs: 60_000 };

/** Attempts to reconnect as early as the rule allows. */
const eager: Random = { ...createSystemRandom(), float: () => 0 };

async function connect(url: string): Promise<RedisClient & Disposable> {
  const client = await connectRedis({ ...settings, url }, { random: eager });
  return { ...client, [Symbol.dispose]: () => client.close() };
}

/** The process's own limits: says that it was asked. */
function countingFallback(): RateLimits & { asked: number } {
  return {
    asked: 0,
    take() {
      this.asked++;
      return 7;
    },
  };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof WireError) return error.code;
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
  return "no refusal";
}

describeOn(["redis"], "the way to Redis", () => {
  test("nobody there, a wrong password and none at all are told apart, and leave nothing behind", async () => {
    await using server = await startRedis("--requirepass", "secret");
    expect(await refusal(connectRedis({ ...settings, url: server.url }))).toBe("wrong_password");
    expect(await refusal(connectRedis({ ...settings, url: server.url, password: "wrong" }))).toBe("wrong_password");
    using client = await (async () => {
      const made = await connectRedis({ ...settings, url: server.url, password: "secret" });
      return { ...made, [Symbol.dispose]: () => made.close() };
    })();
    expect(await client.commands.ping()).toBe("PONG");
    await server.kill();
    expect(await refusal(connectRedis({ ...settings, url: server.url }))).toBe("unreachable");
  });

  test("one that accepts connections and says nothing is given up after the time-out", async () => {
    await using server = await startRedis();
    server.signal("SIGSTOP");
    const startedAt = performance.now();
    expect(await refusal(connectRedis({ ...settings, url: server.url }))).toBe("unreachable");
    // Half a second, and a busy machine; it would wait for ever otherwise.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    server.signal("SIGCONT");
  });

  test("while it is lost, commands are refused at once; when it is back, they go through", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    const typing = createRedisTyping(client);
    await typing.start("c", "u", 0);
    await server.kill();
    await eventually(() => expect(client.lost()).toBe(true));
    const startedAt = performance.now();
    for (let tries = 0; tries < 100; tries++) expect(await refusal(typing.list("c", 0))).toBe("store_unavailable");
    // One time-out each would be fifty seconds.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await server.restart();
    await eventually(() => expect(client.lost()).toBe(false));
    // Scripts are gone from a server that was started anew.
    await typing.start("c", "u", 0);
    expect(await typing.list("c", 0)).toEqual(["u"]);
  });

  test("a Redis that is stopped costs a command its time-out, then counts as lost, and comes back", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    const typing = createRedisTyping(client);
    await typing.start("c", "u", 0);
    server.signal("SIGSTOP");
    const startedAt = performance.now();
    expect(await refusal(typing.list("c", 0))).toBe("store_unavailable");
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await eventually(() => expect(client.lost()).toBe(true));
    server.signal("SIGCONT");
    await eventually(() => expect(client.lost()).toBe(false));
    expect(await typing.list("c", 0)).toEqual(["u"]);
  });

  test("limits are the process's own while Redis is lost or full, and shared again afterwards", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    const fallback = countingFallback();
    const limits = createRedisRateLimits(client, { fallback });
    expect(await limits.take("k", rule, 1, 0)).toBe(0);
    expect(await limits.take("k", rule, 1, 0)).toBe(60_000);
    await client.commands.config("SET", "maxmemory", "1mb");
    // What is refused takes nothing and so needs no room.
    expect(await limits.take("k", rule, 1, 0)).toBe(60_000);
    expect(await limits.take("other", rule, 1, 0)).toBe(7);
    await client.commands.config("SET", "maxmemory", "0");
    expect(await limits.take("k", rule, 1, 0)).toBe(60_000);
    await server.kill();
    await eventually(async () => expect(await limits.take("k", rule, 1, 0)).toBe(7));
    expect(fallback.asked).toBeGreaterThanOrEqual(2);
    await server.restart();
    await eventually(async () => expect(await limits.take("k", rule, 1, 0)).toBe(0));
  });

  test("heartbeats are refused by name while Redis is full, lost or slow, and go on afterwards", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    const presence = createLiteralPresence(client, { clock: systemClock });
    await presence.start();
    await presence.beat("u", 1, "c", 1);
    await client.commands.config("SET", "maxmemory", "1mb");
    expect(await refusal(presence.beat("u", 1, "c", 2))).toBe("storage_full");
    await client.commands.config("SET", "maxmemory", "0");
    await presence.beat("u", 1, "c", 3);
    server.signal("SIGSTOP");
    expect(await refusal(presence.beat("u", 1, "c", 4))).toBe("store_unavailable");
    expect(await refusal(presence.beat("u", 1, "c", 5))).toBe("store_unavailable");
    server.signal("SIGCONT");
    await eventually(() => presence.beat("u", 1, "c", 6));
    await server.restart();
    await eventually(() => presence.beat("u", 1, "c", 7));
    await eventually(async () => {
      expect(await presence.lookup(["u"], 7)).toEqual([{ online: true, lastSeenAt: 7 }]);
    });
    presence.stop();
  });

  test("heartbeats beyond the bound are refused instead of gathered", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    const presence = createLiteralPresence(client, { clock: systemClock });
    await presence.start();
    server.signal("SIGSTOP");
    const long = "u".repeat(100_000);
    const beats = Array.from({ length: 400 }, () => refusal(presence.beat(long, 1, "c", 0)));
    expect(await Promise.race(beats.toReversed().slice(0, 1))).toBe("store_unavailable");
    server.signal("SIGCONT");
    await Promise.all(beats);
    presence.stop();
  });

  test("a read-only replica refuses writes, and the inspection says so", async () => {
    await using server = await startRedis();
    using client = await connect(server.url);
    await client.commands.replicaof("127.0.0.1", 1);
    expect(await refusal(createRedisTyping(client).start("c", "u", 0))).toBe("storage_full");
    expect((await inspectRedis({ ...settings, url: server.url })).map(({ kind }) => kind)).toEqual(["read_only"]);
  });

  test("the inspection names what is wrong and how it is mended", async () => {
    await using server = await startRedis("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru");
    const [evicting] = await inspectRedis({ ...settings, url: server.url });
    expect(evicting?.fix).toContain("noeviction");
    await server.kill();
    expect((await inspectRedis({ ...settings, url: server.url })).map(({ kind }) => kind)).toEqual(["unreachable"]);
  });
});
