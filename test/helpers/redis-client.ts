import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { connectRedis, type RedisClient } from "../../src/stores/redis/connect.ts";
import { NodeLease } from "../../src/stores/redis/lease.ts";
import { keysOf } from "./redis-time.ts";
import { realStoreConfig } from "./real-stores.ts";

/** The way to the Redis of the run, with a key prefix of its own that is emptied at the end. */
export async function connectTestRedis(): Promise<RedisClient & AsyncDisposable> {
  const { redis } = realStoreConfig();
  const client = await connectRedis({
    url: redis.url,
    password: redis.password,
    keyPrefix: redis.key_prefix,
    timeoutMs: redis.timeout_ms,
  });
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      const keys = await keysOf(client.commands, client.keys.prefix);
      if (keys.length > 0) await client.commands.del(...keys);
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
