import { systemClock } from "../../src/base/clock.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { Losses } from "../../src/stores/redis/losses.ts";
import { parseClaim } from "../../src/stores/redis/peers.ts";
import { RedisPresenceInterest } from "../../src/stores/redis/presence-interest.ts";
import { interestTtlMs, MemoryInterests } from "../helpers/core-ports/memory-presence-interest.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { connectTestRedis, startTestLease } from "../helpers/redis-client.ts";
import { ageKeys, keysOf } from "../helpers/redis-time.ts";
import { describePresenceInterest } from "./presence-interest.contract.ts";

describePresenceInterest("memory", interestTtlMs, async () => {
  let nowMs = 0;
  const interests = new MemoryInterests(() => nowMs);
  return {
    near: interests.attach(),
    far: interests.attach(),
    other: interests.attach(),
    async age(ms) {
      nowMs += ms;
    },
    loseMemory: async () => interests.flush(),
    async beginAnew() {},
    async [Symbol.asyncDispose]() {},
  };
});

describeOn(["redis"], "presence interest between processes on Redis", () => {
  describePresenceInterest("Redis", 60_000, async () => {
    const redis = await connectTestRedis();
    const { commands, keys } = redis;
    let agedMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + agedMs };
    const losses = new Losses(clock);
    const names = ["near", "far", "other"] as const;
    const leases = await Promise.all(names.map((nodeId) => startTestLease(redis, { nodeId })));
    const interests: readonly RedisPresenceInterest[] = leases.map((lease) => {
      // The way between processes is that of the bus, which has a contract of its own and tells nobody what is its own.
      const send = (claim: string, userIds: readonly Uuid[]): void => {
        const at = leases.findIndex(({ node }) => node === parseClaim(claim).node);
        if (leases[at] !== lease) interests[at]?.told(userIds);
      };
      return new RedisPresenceInterest(redis, lease, { clock, losses, send, soon: setImmediate, onError: () => {} });
    });
    const [near, far, other] = interests as [RedisPresenceInterest, RedisPresenceInterest, RedisPresenceInterest];
    return {
      near,
      far,
      other,
      async age(ms) {
        agedMs += ms;
        await ageKeys(commands, keys.prefix, ms);
      },
      async loseMemory() {
        const lost = (await keysOf(commands, keys.prefix)).filter((key) => key.startsWith(`${keys.prefix}watch`));
        if (lost.length > 0) await commands.del(...lost);
        losses.raise("Redis lost its memory");
      },
      async beginAnew() {
        await commands.del(keys.node("near"));
        await leases[0]?.renew();
      },
      async [Symbol.asyncDispose]() {
        for (const lease of leases) await lease.stop();
        await redis[Symbol.asyncDispose]();
      },
    };
  });
});
