import { expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { parseRedisAddress } from "./redis-address.ts";
import { retryDelayMs } from "./retry-delay.ts";

test("a URL says where, as whom and which database", () => {
  expect(parseRedisAddress("redis://cache")).toMatchObject({ host: "cache", port: 6379, tls: false, database: 0 });
  expect(parseRedisAddress("rediss://me:a%40b@[::1]:7000/3")).toEqual({
    host: "::1",
    port: 7000,
    tls: true,
    username: "me",
    password: "a@b",
    database: 3,
    text: "[::1]:7000",
  });
});

test("a password of its own setting wins over one in the URL", () => {
  expect(parseRedisAddress("redis://:old@cache", "new").password).toBe("new");
  expect(parseRedisAddress("redis://:old@cache").password).toBe("old");
});

test("what is no URL of a Redis is refused without repeating a secret", () => {
  expect(() => parseRedisAddress("http://:secret@cache")).toThrow(/^not the URL of a Redis: http:\/\/cache\/$/);
  expect(() => parseRedisAddress("redis://cache/one")).toThrow(TypeError);
});

test("attempts to reconnect double up to two seconds, half of it at random, for ever", () => {
  const random = createSeededRandom(1);
  for (let attempt = 1; attempt <= 2_000; attempt++) {
    const ceilingMs = Math.min(2_000, 50 * 2 ** (attempt - 1));
    const delayMs = retryDelayMs(attempt, random);
    expect(delayMs).toBeGreaterThanOrEqual(ceilingMs / 2);
    expect(delayMs).toBeLessThanOrEqual(ceilingMs);
  }
});
