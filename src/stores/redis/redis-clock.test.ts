import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { RedisClock } from "./redis-clock.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

function clockOf(time: () => Promise<number>) {
  const told: number[] = [];
  const errors: unknown[] = [];
  const commands = {
    async time() {
      const at = await time();
      return [Math.floor(at / 1_000), (at % 1_000) * 1_000];
    },
  };
  const clock = new RedisClock(
    { commands, lost: () => false } as unknown as ConstructorParameters<typeof RedisClock>[0],
    {
      clock: systemClock,
      onSkew: (offsetMs) => told.push(offsetMs),
      onError: (error) => errors.push(error),
    },
  );
  return { clock, told, errors };
}

it("knows how far it is off, and counts half of the way there and back", async () => {
  const { clock } = clockOf(async () => {
    await vi.advanceTimersByTimeAsync(20);
    const at = Date.now() + 2_000;
    await vi.advanceTimersByTimeAsync(20);
    return at;
  });
  await clock.start();
  expect(clock.offsetMs).toBe(2_000);
  clock.stop();
});

it("tells of a clock that is far off once, and again after it was right", async () => {
  let offMs = -300_000;
  const { clock, told } = clockOf(async () => Date.now() + offMs);
  await clock.start();
  await vi.advanceTimersByTimeAsync(30_000);
  expect([told, clock.offsetMs]).toEqual([[-300_000], -300_000]);
  offMs = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(clock.offsetMs).toBe(0);
  offMs = 6_000;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual([-300_000, 6_000]);
  clock.stop();
});

it("goes by the last answer while there is none, asks on, and ends when it is stopped", async () => {
  let answers = true;
  let asked = 0;
  const { clock, errors } = clockOf(async () => {
    asked++;
    if (!answers) throw new Error("Connection is closed.");
    return Date.now() + 100;
  });
  await clock.start();
  answers = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([clock.offsetMs, errors.length, asked]).toEqual([100, 3, 4]);
  clock.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toBe(4);
});
