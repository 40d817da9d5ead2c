import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSeededRandom } from "../../base/random.ts";
import type { RedisClient } from "./connect.ts";
import { RedisKeys } from "./keys.ts";
import { NodeLease } from "./lease.ts";
import { scripts } from "./scripts.ts";

/** As much of Redis as a lease asks: one key. Each answer comes a turn of the event loop after it was asked for. */
function createLeaseRedis() {
  const held: { epoch: string | undefined } = { epoch: undefined };
  const later = <T>(answer: () => T): Promise<T> =>
    new Promise((resolve) => {
      const result = answer();
      setImmediate(() => resolve(result));
    });
  const redis = {
    keys: new RedisKeys(""),
    commands: {
      set: (_key: string, epoch: string) =>
        later(() => {
          if (held.epoch !== undefined) return null;
          held.epoch = epoch;
          return "OK";
        }),
      pttl: () => later(() => 15_000),
    },
    run: (script: unknown, _keys: unknown, [epoch]: readonly unknown[]) =>
      later(() => {
        if (script === scripts.leaseRenew) return held.epoch === undefined ? 0 : held.epoch === epoch ? 1 : -1;
        if (held.epoch === epoch) held.epoch = undefined;
        return 1;
      }),
  };
  // Nothing else of the client is asked for.
  return { held, redis: redis as unknown as RedisClient };
}

test("two renewals that both find the lease gone begin one epoch, and it is the one that Redis has", async () => {
  const { held, redis } = createLeaseRedis();
  const clock = { ...systemClock, schedule: () => ({ cancel() {} }) };
  const lease = new NodeLease(redis, { nodeId: "a", clock, random: createSeededRandom(1), onError: () => {} });
  await lease.start();
  const restarts: string[] = [];
  lease.onRestart(() => restarts.push(lease.epoch));
  held.epoch = undefined;
  // One is planned, the other comes with the news that Redis lost its memory.
  await Promise.race([Promise.all([lease.renew(), lease.renew()]), ended(50)]);
  expect(restarts).toEqual([held.epoch]);
  expect(lease.epoch).toBe(held.epoch);
});

/** So many turns of the event loop have passed. */
async function ended(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
