import { describe, expect, test } from "vitest";
import { bystanderP99Ratio, Bystanders, bystandersMin } from "./bystanders.ts";

const faultMs = 20_000;
const span = { fromMs: 0, faultMs, backMs: 26_000 };

/** Ten messages a second for 60 s; each takes as long as `of` says. */
function bystanders(of: (intendedMs: number) => number): Bystanders {
  const kept = new Bystanders();
  for (let intendedMs = 50; intendedMs < 60_000; intendedMs += 100)
    kept.record(intendedMs, intendedMs + of(intendedMs));
  return kept;
}

describe("those whom no fault struck", () => {
  test("who notice nothing have the same p99 while the others come back", () => {
    const delays = bystanders(() => 10).delays(span);
    expect([delays?.before.count, delays?.during.count, delays?.untilMs]).toEqual([200, 60, 26_000]);
    expect(bystanderP99Ratio(delays)).toBe(1);
  });

  test("who wait longer until all are back, and only then, are seen", () => {
    const ratioOf = (slow: (ms: number) => boolean): number =>
      bystanderP99Ratio(bystanders((ms) => (slow(ms) ? 35 : 10)).delays(span)) ?? 0;
    expect(ratioOf((ms) => ms >= faultMs && ms < 21_000)).toBeCloseTo(3.5, 1);
    expect(ratioOf((ms) => ms > 26_000)).toBe(1);
    expect(ratioOf((ms) => ms < 10_000)).toBeCloseTo(10 / 35, 1);
  });

  test("what was under way when the fault came, and what came late, counts to its time", () => {
    const late = bystanders((ms) => (ms > 19_900 && ms < faultMs ? 400 : ms > 25_900 && ms < 26_000 ? 9_000 : 10));
    const delays = late.delays(span);
    expect(delays?.before.max).toBe(10_000);
    expect([delays?.during.count, delays?.during.max]).toEqual([61, 9_000_000]);
  });

  test("are looked at for five seconds, though everybody is back at once or nobody was lost", () => {
    for (const backMs of [20_500, Number.NEGATIVE_INFINITY]) {
      expect(bystanders(() => 10).delays({ ...span, backMs })?.untilMs).toBe(25_000);
    }
  });

  test("say nothing when they are too few", () => {
    const few = new Bystanders();
    for (let count = 0; count < bystandersMin - 1; count++) few.record(21_000, 21_010);
    for (let count = 0; count < 500; count++) few.record(1_000, 1_010);
    expect(bystanderP99Ratio(few.delays(span))).toBeUndefined();
    few.record(21_000, 21_010);
    expect(bystanderP99Ratio(few.delays(span))).toBe(1);
  });

  test("of several workers are those of all, and beyond the bound nothing is said", () => {
    const [one, other] = [new Bystanders(3), new Bystanders(3)];
    one.record(1_000, 1_001);
    other.record(1_000, 1_003);
    other.record(21_000, 21_005);
    one.merge(structuredClone(other.serialise()));
    const delays = one.delays(span);
    expect([delays?.before.count, delays?.before.max, delays?.during.max]).toEqual([2, 3_000, 5_000]);
    one.record(22_000, 22_001);
    expect(one.delays(span)).toBeUndefined();
  });
});
