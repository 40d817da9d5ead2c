import { decodeBatch, encodeBatch } from "../../../src/stores/redis/bus-batch.ts";
import type { Mutant } from "./mutant.ts";

/**
 * The beacon says that its process lives, not which number it used last: a batch that was lost shows when the next one
 * comes, and when none comes, never.
 */
export const beaconWithoutCount: Mutant = {
  name: "beacon-without-count",
  redis(redis) {
    const arrived = new Map<string, number>();
    redis.rewrite = (text) => {
      const batch = decodeBatch(text);
      if (batch === undefined) return text;
      const pair = `${batch.from} ${batch.fromEpoch} ${batch.toEpoch}`;
      if (batch.kind === "beacon") return encodeBatch({ ...batch, counter: arrived.get(pair) ?? 0 }, []);
      return text;
    };
    redis.onHeard = (text) => {
      const batch = decodeBatch(text);
      if (batch?.kind === "batch") arrived.set(`${batch.from} ${batch.fromEpoch} ${batch.toEpoch}`, batch.counter);
    };
  },
};
