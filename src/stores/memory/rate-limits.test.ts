import { expect, test } from "vitest";
import { createMemoryRateLimits } from "./rate-limits.ts";

test("a bucket in use is not forgotten while others come and go within the bound", () => {
  const rates = createMemoryRateLimits({ bucketsMax: 100 });
  const rule = { burst: 2, intervalMs: 60_000 };
  void rates.take("busy", rule, 2, 0);
  for (let index = 0; index < 40; index++) void rates.take(`other${index}`, rule, 1, index);
  expect(rates.take("busy", rule, 1, 100)).toBe(59_900);
});

test("a quick rule's traffic does not make a slow rule forget", () => {
  const rates = createMemoryRateLimits({ bucketsMax: 100 });
  const slow = { burst: 1, intervalMs: 600_000 };
  const quick = { burst: 1, intervalMs: 10 };
  void rates.take("slow", slow, 1, 0);
  for (let at = 0; at < 500_000; at += 10) void rates.take("quick", quick, 1, at);
  expect(rates.take("slow", slow, 1, 500_000)).toBe(100_000);
});

test("a tightened rule applies to a bucket that the looser one filled", () => {
  const rates = createMemoryRateLimits();
  void rates.take("k", { burst: 100, intervalMs: 1_000 }, 100, 0);
  expect(rates.take("k", { burst: 1, intervalMs: 1_000 }, 1, 0)).toBe(1_000);
});

test("a rule or cost that makes no sense is refused", () => {
  const rates = createMemoryRateLimits();
  expect(() => rates.take("k", { burst: 0, intervalMs: 1 }, 1, 0)).toThrow(/rate rule/);
  expect(() => rates.take("k", { burst: 1, intervalMs: 1 }, 0, 0)).toThrow(/cost/);
});
