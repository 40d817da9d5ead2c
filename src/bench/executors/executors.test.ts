import { describe, expect, test } from "vitest";
import { createSelection } from "../data/selection.ts";
import { Closed, partOf } from "./closed.ts";
import { ConstantArrivalRate, type ConstantArrivalRateOptions } from "./constant-arrival-rate.ts";
import type { Executor } from "./executor.ts";
import { PerUserPeriod, type PerUserPeriodOptions } from "./per-user-period.ts";

interface Started {
  readonly user: number;
  readonly n: number;
  readonly intendedMs: number;
}

const whole = { index: 0, count: 1 };

/** Polls every `stepMs` and ends each operation at once. */
function run(executor: Executor, untilMs: number, stepMs = 1): Started[] {
  const started: Started[] = [];
  for (let now = 0; now <= untilMs; now += stepMs) {
    executor.poll(now, (user, n, intendedMs) => {
      expect(intendedMs).toBeLessThanOrEqual(now);
      started.push({ user, n, intendedMs });
    });
    while (executor.counts.inFlight > 0) executor.completed();
  }
  return started;
}

function sorted(started: readonly Started[]): Started[] {
  return started.toSorted((one, other) => one.intendedMs - other.intendedMs || one.user - other.user);
}

function arrivals(options: Partial<ConstantArrivalRateOptions> = {}): ConstantArrivalRate {
  return new ConstantArrivalRate({
    ratePerSecond: 500,
    arrival: "uniform",
    seed: 42,
    selectUser: createSelection({ kind: "uniform" }, 100, 42),
    share: whole,
    inFlightMax: 1_000,
    endMs: 2_000,
    ...options,
  });
}

function periods(options: Partial<PerUserPeriodOptions> = {}): PerUserPeriod {
  return new PerUserPeriod({
    periodMs: 1_000,
    jitter: 0.1,
    seed: 42,
    users: 200,
    share: whole,
    inFlightMax: 1_000,
    endMs: 5_000,
    ...options,
  });
}

describe("constant-arrival-rate", () => {
  test("uniform arrivals are evenly spaced and stop at the end", () => {
    const started = run(arrivals(), 3_000);
    expect(started).toHaveLength(1_000);
    expect(started.slice(0, 3).map(({ intendedMs }) => intendedMs)).toEqual([0, 2, 4]);
  });

  test("poisson arrivals keep the rate and vary as they should", () => {
    const started = run(arrivals({ arrival: "poisson", ratePerSecond: 2_000, endMs: 10_000 }), 10_000);
    // Poisson(20000): sd ≈ 141; four of them.
    expect(Math.abs(started.length - 20_000)).toBeLessThan(570);
    const gaps = started.slice(1).map(({ intendedMs }, index) => intendedMs - (started[index] as Started).intendedMs);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  });

  test.each(["uniform", "poisson"] as const)("%s: three workers together do what one does alone", (arrival) => {
    const alone = run(arrivals({ arrival }), 2_000);
    const shared = [0, 1, 2].flatMap((index) => run(arrivals({ arrival, share: { index, count: 3 } }), 2_000));
    expect(sorted(shared)).toEqual(sorted(alone));
  });

  test("a generator that was late starts everything that was due, with its intended times", () => {
    const punctual = run(arrivals(), 2_000);
    expect(run(arrivals(), 2_000, 500)).toEqual(punctual);
  });

  test("arrivals beyond the in-flight cap are counted, not started", () => {
    const executor = arrivals({ inFlightMax: 3 });
    let started = 0;
    executor.poll(100, () => started++);
    expect(started).toBe(3);
    expect(executor.counts).toMatchObject({ asked: 51, started: 3, capped: 48, inFlight: 3, inFlightPeak: 3 });
    executor.completed();
    executor.poll(102, () => started++);
    expect(started).toBe(4);
  });

  test("a poll may be cut short without losing anything", () => {
    const executor = arrivals();
    const intended: number[] = [];
    while (executor.nextDueMs() <= 100) executor.poll(100, (_user, _n, intendedMs) => intended.push(intendedMs), 7);
    expect(intended).toEqual(Array.from({ length: 51 }, (_, index) => index * 2));
    expect(executor.nextDueMs()).toBe(102);
  });
});

describe("per-user-period", () => {
  test("each user acts once a period, within the jitter", () => {
    const started = run(periods(), 5_000);
    for (let user = 0; user < 200; user++) {
      const times = started.filter((act) => act.user === user);
      expect(times.map(({ n }) => n)).toEqual(times.map((_, index) => index));
      expect(times.length).toBeGreaterThanOrEqual(4);
      for (let n = 1; n < times.length; n++) {
        const gap = (times[n] as Started).intendedMs - (times[n - 1] as Started).intendedMs;
        expect(gap).toBeGreaterThanOrEqual(800);
        expect(gap).toBeLessThanOrEqual(1_200);
      }
    }
  });

  test("the load is even over the period", () => {
    const started = run(periods({ users: 10_000, jitter: 0, endMs: 1_000, inFlightMax: 20_000 }), 1_000);
    expect(started).toHaveLength(10_000);
    const quarters = [0, 0, 0, 0];
    for (const { intendedMs } of started) quarters[Math.floor(intendedMs / 250)]!++;
    for (const count of quarters) expect(Math.abs(count - 2_500)).toBeLessThan(220);
  });

  test("workers together do what one does alone", () => {
    const alone = run(periods(), 5_000);
    const shared = [0, 1, 2].flatMap((index) => run(periods({ share: { index, count: 3 } }), 5_000));
    expect(sorted(shared)).toEqual(sorted(alone));
  });

  test("a late poll loses no act and keeps intended times", () => {
    expect(sorted(run(periods(), 6_000, 2_000))).toEqual(sorted(run(periods(), 6_000)));
  });

  test("acts beyond the in-flight cap are counted", () => {
    const executor = periods({ inFlightMax: 5, endMs: 1_000, jitter: 0 });
    executor.poll(1_000, () => undefined);
    expect(executor.counts).toMatchObject({ asked: 200, started: 5, capped: 195 });
  });

  test("a poll may be cut short without losing anything", () => {
    const executor = periods({ endMs: 1_000, jitter: 0 });
    let started = 0;
    while (executor.nextDueMs() <= 1_000) executor.poll(1_000, () => started++, 9);
    expect(started).toBe(200);
    expect(executor.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("a period longer than the wheel works all the same", () => {
    const started = run(periods({ periodMs: 200_000, jitter: 0, users: 10, endMs: 400_000 }), 400_000, 100);
    expect(started).toHaveLength(20);
  });

  test("a worker without users has nothing to do", () => {
    const executor = periods({ users: 1, share: { index: 1, count: 2 } });
    expect(run(executor, 5_000)).toEqual([]);
  });
});

describe("closed", () => {
  const closed = (inFlight: number): Closed =>
    new Closed({
      inFlight,
      selectUser: createSelection({ kind: "uniform" }, 100, 42),
      share: { index: 1, count: 2 },
      endMs: 1_000,
    });

  test("keeps its number in flight and starts the next when one ends", () => {
    const executor = closed(4);
    const users: number[] = [];
    executor.poll(0, (user) => users.push(user));
    executor.poll(1, (user) => users.push(user));
    expect(users).toHaveLength(4);
    expect(executor.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
    executor.completed();
    expect(executor.nextDueMs()).toBe(0);
    executor.poll(2, (user, _n, intendedMs) => {
      users.push(user);
      expect(intendedMs).toBe(2);
    });
    expect(users).toHaveLength(5);
    expect(users.every((user) => user % 2 === 1)).toBe(true);
    expect(executor.counts.capped).toBe(0);
  });

  test("starts nothing after the end", () => {
    const executor = closed(4);
    let started = 0;
    executor.poll(1_000, () => started++);
    expect(started).toBe(0);
    expect(executor.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("gives up when the selection never names an own user", () => {
    const executor = new Closed({ inFlight: 1, selectUser: () => 0, share: { index: 1, count: 2 }, endMs: 1_000 });
    executor.poll(0, () => expect.unreachable());
    expect(executor.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("parts of a total add up", () => {
    const parts = [0, 1, 2].map((index) => partOf(200, { index, count: 3 }));
    expect(parts).toEqual([67, 67, 66]);
  });
});
