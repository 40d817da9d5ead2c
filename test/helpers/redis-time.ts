import type { Redis } from "ioredis";

/** Every key that begins with `prefix`. */
export async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1_000);
    found.push(...keys);
    cursor = next;
  } while (cursor !== "0");
  return found;
}

/**
 * Makes the keys `ms` older: what would have ended is gone, the rest ends that much earlier, and so do the members of
 * sorted sets whose scores are times. Leases of server processes stay: those would have been renewed.
 */
export async function ageKeys(redis: Redis, prefix: string, ms: number): Promise<void> {
  for (const key of await keysOf(redis, prefix)) {
    if (key.startsWith(`${prefix}node`)) continue;
    const leftMs = await redis.pttl(key);
    if (leftMs < 0) continue;
    if (leftMs <= ms) await redis.del(key);
    else {
      await redis.pexpire(key, leftMs - ms);
      if ((await redis.type(key)) !== "zset") continue;
      for (const member of await redis.zrange(key, "0", "-1")) await redis.call("ZINCRBY", key, String(-ms), member);
    }
  }
}
