import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { connectRedis, type RedisClient, type RedisSettings } from "../../src/stores/redis/connect.ts";
import { NodeLease } from "../../src/stores/redis/lease.ts";
import { keysOf } from "./redis-time.ts";
import { realStoreConfig } from "./real-stores.ts";

/** Where the Redis of the run is, with a key prefix of its own, and how to take back what was written under it. */
export function systemSettings(): {
  readonly settings: RedisSettings;
  readonly clean: (redis: RedisClient) => Promise<void>;
} {
  const { redis } = realStoreConfig();
  return {
    settings: { url: redis.url, password: redis.password, keyPrefix: redis.key_prefix, timeoutMs: redis.timeout_ms },
    async clean({ commands }) {
      const keys = await keysOf(commands, redis.key_prefix);
      if (keys.length > 0) await commands.del(...keys);
    },
  };
}

/** The way to the Redis of the run, under a key prefix that is emptied at the end. */
export async function connectTestRedis(): Promise<RedisClient & AsyncDisposable> {
  const { settings, clean } = systemSettings();
  const client = await connectRedis(settings);
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await clean(client);
      client.close();
    },
  };
}

/** A lease that was started, under a name of its own unless one is given. */
export async function startTestLease(
  redis: RedisClient,
  options: Partial<ConstructorParameters<typeof NodeLease>[1]> = {},
): Promise<NodeLease> {
  const lease = new NodeLease(redis, {
    nodeId: `node-${randomBytes(4).toString("hex")}`,
    clock: systemClock,
    random: createSystemRandom(),
    onError: () => {},
    ...options,
  });
  await lease.start();
  return lease;
}
