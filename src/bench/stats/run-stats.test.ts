import { expect, test } from "vitest";
import { RunStats } from "./run-stats.ts";
import { Timeline } from "./timeline.ts";

const timeline = new Timeline([
  { name: "warmup", durationMs: 1_000, record: false },
  { name: "steady", durationMs: 4_000, record: true },
]);
const fresh = (): RunStats => new RunStats([{ name: "beat" }, { name: "talk" }], timeline);

test("an operation belongs to the phase of its intended start, and warm-up is not recorded", () => {
  const stats = fresh();
  stats.started(0, 990, 1_010);
  stats.ended(0, 990, 1_010, 1_020, true);
  stats.started(0, 1_000, 1_010);
  stats.ended(0, 1_000, 1_010, 1_030, true);
  expect(stats.cell(0, 0)?.counters.get("succeeded")).toBe(1);
  expect(stats.cell(0, 0)?.latency.response.count).toBe(0);
  expect(stats.cell(0, 1)?.latency.response.max).toBe(30_000);
  expect(stats.recordedCells()).toHaveLength(1);
  expect(stats.recordedCells("talk")).toHaveLength(0);
  expect(stats.recordedSeconds()).toBe(4);
});

test("workers bring together what they know of routes and of lost connections", () => {
  const [one, other] = [fresh(), fresh()];
  one.delivered(0, 2_000, 2_003, "each");
  one.delivered(0, 2_000, 2_003, "cross");
  other.delivered(0, 2_000, 2_001, "each");
  other.delivered(0, 2_000, 2_001, "same");
  one.resyncs.record(1_000, 1, 5_000);
  other.resyncs.record(3_000, 4, 4_000);
  other.bystanders.record(2_000, 2_009);
  one.merge(other.serialise());
  const delivery = one.cell(0, 1)?.delivery;
  expect([delivery?.each.count, delivery?.same.max, delivery?.cross.max]).toEqual([2, 1_000, 3_000]);
  expect(one.cell(0, 1)?.counters.get("pushes")).toBe(2);
  expect([one.resyncs.histogram.count, one.resyncs.histogram.max, one.resyncs.attemptsMean]).toEqual([2, 3e6, 2.5]);
  expect(one.resyncs.lastBackMs).toBe(5_000);
  expect(one.bystanders.delays({ fromMs: 0, faultMs: 2_005, backMs: 0 })?.during.max).toBe(9_000);
  expect(fresh().resyncs.attemptsMean).toBeUndefined();
});

test("failures are counted and have no latency", () => {
  const stats = fresh();
  stats.ended(1, 2_000, 2_000, 2_001, false);
  expect(stats.cell(1, 1)?.counters.get("failed")).toBe(1);
  expect(stats.cell(1, 1)?.latency.response.count).toBe(0);
  expect(stats.series(1).interval(2).failed).toBe(1);
});

test("what ends in the drain counts for the phase that asked for it", () => {
  const stats = fresh();
  stats.ended(0, 4_999, 5_000, 9_000, true);
  expect(stats.cell(0, 1)?.latency.response.max).toBe(4_001_000);
});

test("what was never asked for within a phase is left out", () => {
  const stats = fresh();
  stats.delivered(0, 6_000, 6_010, "each");
  expect(stats.recordedCells()).toHaveLength(0);
});

test("workers add up", () => {
  const one = fresh();
  const other = fresh();
  for (const [stats, ms] of [
    [one, 10],
    [other, 30],
  ] as const) {
    stats.count(1, "asked", 2_000);
    stats.ended(1, 2_000, 2_000, 2_000 + ms, true);
    stats.delivered(1, 2_000, 2_000 + ms, "each");
    stats.delivered(1, 2_000, 2_000 + ms, "last");
  }
  one.merge(structuredClone(other.serialise()));
  const cell = one.cell(1, 1);
  expect(cell?.counters.values()).toMatchObject({ asked: 2, succeeded: 2, pushes: 2 });
  expect([cell?.latency.response.max, cell?.delivery.each.count, cell?.delivery.last.max]).toEqual([30_000, 2, 30_000]);
  expect(one.series(1).interval(2).ended).toBe(2);
});

test("a load that is stopped early has rates over the time that it lasted", () => {
  const stats = fresh();
  stats.stoppedMs = 2_500;
  expect(stats.recordedSeconds()).toBe(1.5);
  stats.stoppedMs = 500;
  expect(stats.recordedSeconds()).toBe(0);
});

test("a workload that runs in some phases has their seconds only, and neighbours are one window", () => {
  const phases = ["one", "two", "three", "four"].map((name) => ({ name, durationMs: 1_000, record: name !== "two" }));
  const slices = new Timeline(phases);
  const stats = new RunStats([{ name: "ours", during: ["one", "two", "four"] }, { name: "bare" }], slices);
  expect(stats.recordedSeconds()).toBe(3);
  expect(stats.recordedSeconds(undefined, "ours")).toBe(2);
  expect(stats.recordedSeconds("three", "ours")).toBe(0);
  expect(stats.recordedSeconds(undefined, "bare")).toBe(3);
  expect(slices.windowsOf(["one", "two", "four"])).toEqual([
    { startMs: 0, endMs: 2_000 },
    { startMs: 3_000, endMs: 4_000 },
  ]);
  expect(slices.windowsOf(undefined)).toEqual([{ startMs: 0, endMs: 4_000 }]);
});
