import { beforeEach, expect, test } from "vitest";
import { limits } from "../../protocol/limits.ts";
import { AdaptiveRate } from "./adaptive-rate.ts";

let rate: AdaptiveRate;

beforeEach(() => {
  rate = new AdaptiveRate();
});

function hear(steps: number, tookMs: number): number {
  for (let step = 0; step < steps; step++) rate.heard(tookMs);
  return rate.perSecond;
}

test("rises to its bound while steps take the same time", () => {
  const first = rate.perSecond;
  expect(hear(1, 5)).toBeGreaterThan(first);
  expect(hear(100, 5)).toBe(limits.fanOutMembersPerSecond);
});

test("falls when steps take twice as long, to what one message in fanOutSpreadMs needs", () => {
  hear(100, 5);
  expect(hear(3, 20)).toBeLessThan(limits.fanOutMembersPerSecond);
  const least = hear(100, 20);
  expect((limits.membersPerGroupMax / least) * 1_000).toBeLessThan(limits.fanOutSpreadMs);
  expect(hear(100, 20)).toBe(least);
});

test("rises again when they are as quick as before", () => {
  hear(100, 5);
  hear(100, 20);
  expect(hear(100, 5)).toBe(limits.fanOutMembersPerSecond);
});

test("a single slow step is noise", () => {
  hear(100, 5);
  rate.heard(15);
  expect(rate.perSecond).toBe(limits.fanOutMembersPerSecond);
});

test("stores that are slower for good are measured against themselves by and by", () => {
  hear(100, 5);
  expect(hear(1_500, 10)).toBe(limits.fanOutMembersPerSecond);
});

test("steps of less than a millisecond are never slow", () => {
  hear(10, 0);
  expect(hear(100, 0.9)).toBe(limits.fanOutMembersPerSecond);
});

test("steps that fail slow it down, and what they took is not taken for what is usual", () => {
  hear(100, 5);
  for (let step = 0; step < 3; step++) rate.failed();
  expect(rate.perSecond).toBeLessThan(limits.fanOutMembersPerSecond / 2);
  expect(hear(100, 5)).toBe(limits.fanOutMembersPerSecond);
});
