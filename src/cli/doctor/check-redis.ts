import { redisSettings } from "../../server/store-options.ts";
import { inspectRedis } from "../../stores/redis/connect.ts";
import { ok, storeFinding, type Check } from "./finding.ts";

export const redisCheck: Check = {
  name: "redis",
  async run({ config }) {
    const { url } = config.redis;
    const objections = await inspectRedis(redisSettings(config));
    return objections.length === 0
      ? [ok("redis", `${url} answers and keeps what it is given`)]
      : objections.map(storeFinding);
  },
};
