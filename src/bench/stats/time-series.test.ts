import { expect, test } from "vitest";
import { Counters } from "./counters.ts";
import { intervalMsOf, TimeSeries } from "./time-series.ts";
import { Timeline } from "./timeline.ts";

test("the intervals of a long load are wider, so that there are never more than 600", () => {
  expect([1, 600_000, 600_001, 2_580_000, 86_400_000].map(intervalMsOf)).toEqual([1_000, 1_000, 2_000, 5_000, 144_000]);
});

test("operations fall into the second in which they start and end", () => {
  const series = new TimeSeries(3_000);
  series.started(100);
  series.started(999.9);
  series.ended(1_500, 400, true);
  series.ended(1_600, 600, false);
  const [first, second] = series.intervals(3_000);
  expect(first).toMatchObject({ atMs: 0, started: 2, ended: 0, failed: 0 });
  expect(second).toMatchObject({ atMs: 1_000, started: 0, ended: 2, failed: 1 });
  expect(second?.maxUs).toBe(600_000);
});

test("the last partial interval is dropped", () => {
  const series = new TimeSeries(2_500);
  expect(series.intervals(2_500)).toHaveLength(2);
  expect(series.intervals(1_700)).toHaveLength(1);
  expect(series.intervals(10_000)).toHaveLength(2);
});

test("what happens outside the run is not on the axis", () => {
  const series = new TimeSeries(1_000);
  series.started(-1);
  series.ended(1_000, 5, true);
  expect(series.interval(0)).toMatchObject({ started: 0, ended: 0 });
});

test("a day takes no more intervals than ten minutes", () => {
  expect(new TimeSeries(600_000).intervalMs).toBe(1_000);
  const day = new TimeSeries(24 * 3_600_000);
  expect(day.intervalMs).toBe(144_000);
  expect(day.intervals(24 * 3_600_000)).toHaveLength(600);
});

test("series of two workers are merged, not averaged", () => {
  const one = new TimeSeries(1_000);
  const other = new TimeSeries(1_000);
  for (let count = 0; count < 99; count++) one.ended(500, 1, true);
  other.started(1);
  other.ended(500, 1_000, false);
  one.merge(structuredClone(other.serialise()));
  expect(one.interval(0)).toMatchObject({ started: 1, ended: 100, failed: 1, maxUs: 1_000_000 });
  expect(one.interval(0).p99Us).toBeLessThan(1_100);
});

test("a timeline knows the phase of a time, and what is recorded", () => {
  const timeline = new Timeline([
    { name: "warmup", durationMs: 1_000, record: false },
    { name: "steady", durationMs: 5_000, record: true },
  ]);
  expect([-5, 0, 999, 1_000, 5_999, 6_000].map((at) => timeline.phaseAt(at))).toEqual([0, 0, 0, 1, 1, -1]);
  expect([timeline.endMs, timeline.recordedMs(), timeline.startMs(0), timeline.startMs(1)]).toEqual([
    6_000, 5_000, 0, 1_000,
  ]);
});

test("counters of two workers add up", () => {
  const one = new Counters();
  const other = new Counters();
  one.add("asked", 3);
  other.add("asked");
  other.add("capped");
  one.merge(structuredClone(other.values()));
  expect([one.get("asked"), one.get("capped"), one.get("failed")]).toEqual([4, 1, 0]);
});
