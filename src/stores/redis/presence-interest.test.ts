import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createDeferred } from "../../base/deferred.ts";
import type { RedisClient } from "./connect.ts";
import { RedisKeys } from "./keys.ts";
import type { NodeLease } from "./lease.ts";
import { Losses } from "./losses.ts";
import { RedisPresenceInterest } from "./presence-interest.ts";

test("a user who is released while others are still written is not written: nobody would take him back", async () => {
  const written: string[] = [];
  const answered = createDeferred<void>();
  const pipeline = { zrem: () => pipeline, exec: async () => [] };
  // As much of the client and of the lease as an interest asks.
  const redis = {
    keys: new RedisKeys(""),
    commands: { pipeline: () => pipeline },
    run: async (_script: unknown, [key]: readonly string[]) => {
      written.push(key as string);
      await answered.promise;
    },
  } as unknown as RedisClient;
  const lease = { claim: "a:1" } as NodeLease;
  const losses = new Losses(systemClock);
  const none = (): void => {};
  const interest = new RedisPresenceInterest(redis, lease, {
    clock: systemClock,
    losses,
    send: none,
    onError: none,
    soon: setImmediate,
  });
  // More than are written at once: the last one waits for the others.
  const users = Array.from({ length: 501 }, (_, at) => `u${at}`);
  const wanting = interest.want(users);
  await interest.release(["u500"]);
  answered.resolve();
  await wanting;
  expect(written).toHaveLength(500);
  await interest.want(["u500"]);
  expect(written.at(-1)).toBe("watch:{u500}");
});
