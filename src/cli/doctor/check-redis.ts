import { inspectRedis } from "../../stores/redis/connect.ts";
import { ok, storeFinding, type Check } from "./finding.ts";

export const redisCheck: Check = {
  name: "redis",
  async run({ config }) {
    const { url, password, key_prefix: keyPrefix, timeout_ms: timeoutMs } = config.redis;
    const objections = await inspectRedis({ url, password, keyPrefix, timeoutMs });
    return objections.length === 0
      ? [ok("redis", `${url} answers and keeps what it is given`)]
      : objections.map(storeFinding);
  },
};
