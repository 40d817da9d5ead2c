import { limits } from "../../src/protocol/limits.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { NodeLease } from "../../src/stores/redis/lease.ts";
import { Losses } from "../../src/stores/redis/losses.ts";
import { connectionOf, parseClaim } from "../../src/stores/redis/peers.ts";
import { RedisConnectionRegistry } from "../../src/stores/redis/registry.ts";
import { connectTestRedis, startTestLease } from "../helpers/redis-client.ts";
import { ageKeys } from "../helpers/redis-time.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { startTestNodes } from "../helpers/redis-nodes.ts";
import { describeBus, describeBusPair } from "./bus.contract.ts";
import { describeConnectionRegistry } from "./connection-registry.contract.ts";

describeOn(["redis"], "server processes on Redis", () => {
  describeBus("Redis", async () => {
    const nodes = await startTestNodes();
    const { node } = nodes.near;
    return {
      store: node.bus,
      async connect(userId) {
        await node.registry.register(userId, 1, "c1");
      },
      // What is for this process reached it in the turn of the sender.
      async settled() {},
      [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
    };
  });

  describeBusPair("Redis", async () => {
    const nodes = await startTestNodes();
    return {
      near: nodes.near.node.bus,
      far: nodes.far.node.bus,
      async connectFar(userId, device) {
        await nodes.far.node.registry.register(userId, device, `c${device}`);
      },
      [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
    };
  });

  for (const [mode, ttlMs] of [
    ["literal", limits.connectionTtlMs],
    ["lease", 900_000],
  ] as const) {
    describeConnectionRegistry(`Redis, ${mode}`, ttlMs, async () => {
      const redis = await connectTestRedis();
      let agedMs = 0;
      const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + agedMs };
      const losses = new Losses(clock);
      const leases = [await startTestLease(redis, { nodeId: "near" }), await startTestLease(redis, { nodeId: "far" })];
      const [near, far] = leases.map(
        (lease): RedisConnectionRegistry =>
          new RedisConnectionRegistry(redis, lease, {
            mode,
            clock,
            losses,
            isListening: () => true,
            isSameMemory: async () => true,
            onReplaced: (owner, userId, device) =>
              (parseClaim(owner).node === "near" ? near : far).displaced(userId, device, connectionOf(owner)),
          }),
      ) as [RedisConnectionRegistry, RedisConnectionRegistry];
      return {
        near,
        far,
        async holders(userId) {
          const registered = await redis.commands.hgetall(redis.keys.connection(userId));
          return Object.entries(registered)
            .map(([device, owner]) => `${device} at ${parseClaim(owner).node}`)
            .toSorted();
        },
        endFar: () => (leases[1] as NodeLease).stop(),
        async age(ms) {
          agedMs += ms;
          await ageKeys(redis.commands, redis.keys.prefix, ms);
        },
        async [Symbol.asyncDispose]() {
          for (const lease of leases) await lease.stop();
          await redis[Symbol.asyncDispose]();
        },
      };
    });
  }
});
