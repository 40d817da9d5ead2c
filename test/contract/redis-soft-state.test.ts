import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { RedisClient } from "../../src/stores/redis/connect.ts";
import { createRedisPresence, type PresenceMode } from "../../src/stores/redis/presence.ts";
import { createRedisRateLimits } from "../../src/stores/redis/rate-limits.ts";
import { createRedisTyping } from "../../src/stores/redis/typing.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { connectTestRedis, startTestLease } from "../helpers/redis-client.ts";
import { ageKeys } from "../helpers/redis-time.ts";
import { describePresence } from "./presence.contract.ts";
import { describeRateLimits } from "./rate-limits.contract.ts";
import type { TimedHarness } from "./timed-harness.ts";
import { describeTyping } from "./typing.contract.ts";

/** Redis runs on its own clock: to make it older, the keys are. */
async function createAgingHarness<Store>(
  makeStore: (redis: RedisClient) => Promise<{ readonly store: Store; stop(): Promise<void> | void }>,
): Promise<TimedHarness<Store>> {
  const redis = await connectTestRedis();
  const { store, stop } = await makeStore(redis);
  let now = 1_700_000_000_000;
  return {
    store,
    now: () => now,
    async advance(ms) {
      now += ms;
      await ageKeys(redis.commands, redis.keys.prefix, ms);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await redis[Symbol.asyncDispose]();
    },
  };
}

const harnessOfPresence = (mode: PresenceMode) => () =>
  createAgingHarness(async (redis) => {
    const lease = await startTestLease(redis);
    // The wall clock must not withdraw what the clock of the test keeps alive.
    const clock = { ...systemClock, nowMs: () => 0 };
    const presence = createRedisPresence(redis, lease, { mode, clock, onError: () => {} });
    await presence.start();
    return {
      store: presence,
      async stop() {
        presence.stop();
        await lease.stop();
      },
    };
  });

describeOn(["redis"], "soft state on Redis", () => {
  describePresence("Redis, literal", limits, harnessOfPresence("literal"));
  describePresence("Redis, lease", limits, harnessOfPresence("lease"));
  describeTyping("Redis", limits.typingTtlMs, () =>
    createAgingHarness(async (redis) => ({ store: createRedisTyping(redis), stop() {} })),
  );
  describeRateLimits("Redis", () =>
    createAgingHarness(async (redis) => {
      const fallback = {
        take(): number {
          throw new Error("Redis was there");
        },
      };
      return { store: createRedisRateLimits(redis, { fallback }), stop() {} };
    }),
  );
});
