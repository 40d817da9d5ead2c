import { describe, expect, test } from "vitest";
import { decideExitCode } from "./exit-code.ts";
import { type GeneratorFacts, judgeGenerator, seeksCeiling } from "./generator-health.ts";
import { formatSelector, parseCondition, parseSelector, type Statistic } from "./metrics.ts";
import { formatProblems, loadScenario } from "./scenario/load.ts";
import { RunStats } from "./stats/run-stats.ts";
import { Timeline } from "./stats/timeline.ts";
import { judgeThresholds, type ThresholdVerdict } from "./thresholds.ts";

const timeline = new Timeline([
  { name: "warmup", durationMs: 1_000, record: false },
  { name: "steady", durationMs: 10_000, record: true },
]);

/** 100 operations of `beat` taking 1…100 ms, one of them failing besides; warm-up operations take a second. */
function stats(): RunStats {
  const run = new RunStats([{ name: "beat" }, { name: "talk" }], timeline);
  run.ended(0, 10, 10, 1_010, true);
  for (let ms = 1; ms <= 100; ms++) {
    run.count(0, "asked", 2_000);
    run.started(0, 2_000, 2_000);
    run.ended(0, 2_000, 2_000, 2_000 + ms, true);
    run.delivered(0, 2_000, 2_000 + 2 * ms, "each");
    run.delivered(0, 2_000, 2_000 + ms, "same");
    run.delivered(0, 2_000, 2_000 + ms + 1.25, "cross");
    run.delivered(1, 2_000, 2_000 + 4 * ms, "each");
  }
  run.count(0, "asked", 2_000);
  run.ended(0, 2_000, 2_000, 2_500, false);
  for (let lost = 1; lost <= 4; lost++) run.resyncs.record(lost * 1_000, lost, lost * 2_000);
  return run;
}

function judge(metric: string, statistic: Statistic, text: string): ThresholdVerdict {
  const selector = parseSelector(metric);
  const demands = [{ selector, conditions: [parseCondition(selector.name, statistic, text)] }];
  const [verdict] = judgeThresholds(demands, stats(), {
    generatorCpu: 0.5,
    serverRssBytes: 200e6,
    memoryGrowthBytes: 300e6,
    queueEntriesLeft: 17,
    bystanderP99Ratio: 1.5,
  });
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

describe("thresholds", () => {
  test.each<[string, Statistic, string, boolean]>([
    ["response{workload:beat}", "p50", "< 51ms", true],
    ["rate_ratio{workload:beat,against:beat}", "min", "100%", true],
    ["rate_ratio{workload:talk,against:beat}", "min", "1%", false],
    ["rate_ratio{workload:beat,against:talk}", "min", "1%", false],
    ["response{workload:beat}", "p99", "< 50ms", false],
    ["response", "max", "<= 100ms", true],
    ["response{phase:steady}", "mean", "< 51ms", true],
    ["response{workload:beat}", "count", ">= 100", true],
    ["response{workload:beat}", "rate", ">= 10/s", true],
    ["response{workload:beat}", "rate", "> 10/s", false],
    ["delivery{workload:beat}", "p90", "< 185ms", true],
    ["delivery{workload:beat,route:same}", "max", "<= 100ms", true],
    ["delivery{workload:beat,route:cross}", "max", "<= 101ms", false],
    ["delivery{workload:talk,route:cross}", "max", "<= 1h", false],
    ["routing_cost{workload:beat}", "max", "1.5ms", true],
    ["routing_cost{workload:beat}", "max", "1ms", false],
    ["routing_cost{workload:talk}", "max", "1h", false],
    ["delivery_p99_ratio{workload:talk,against:beat}", "max", "201%", true],
    ["delivery_p99_ratio{workload:talk,against:beat}", "max", "199%", false],
    ["resync", "max", "<= 4s", true],
    ["resync", "p50", "< 2s", false],
    ["resync_attempts", "max", "3", true],
    ["resync_attempts", "max", "2", false],
    ["achieved_rate{workload:beat}", "min", "99%", true],
    ["rate{workload:beat}", "min", "10.1/s", false],
    ["errors{workload:beat}", "max", "0", false],
    ["error_rate", "max", "1%", true],
    ["generator_cpu", "max", "85%", true],
    ["server_rss", "max", "100MB", false],
    ["server_memory_growth", "max", "512MiB", true],
    ["server_memory_growth", "max", "1MiB", false],
    ["server_queue_entries_left", "max", "16", false],
    ["server_queue_bytes_left", "max", "64KiB", false],
    ["bystander_delivery_p99_ratio", "max", "200%", true],
    ["bystander_delivery_p99_ratio", "max", "140%", false],
  ])("%s %s %s: %s", (metric, statistic, text, ok) => expect(judge(metric, statistic, text).ok).toBe(ok));

  test("a verdict says what was demanded and what was found", () => {
    expect(judge("response{workload:beat}", "max", "< 50ms")).toEqual({
      metric: "response{workload:beat}",
      statistic: "max",
      demanded: "< 50ms",
      unit: "duration",
      actual: 100,
      ok: false,
    });
  });

  test("a demand on data that is not there is missed, not held", () => {
    expect(judge("response{workload:talk}", "p99", "< 50ms")).toMatchObject({ ok: false, actual: undefined });
    expect(judge("server_rss_per_connection", "max", "12KiB")).toMatchObject({ ok: false, actual: undefined });
    expect(judge("response{workload:talk}", "count", "== 0").ok).toBe(true);
  });

  test("what never ended has failed", () => {
    const run = stats();
    const actual = (metric: string): number | undefined => {
      const selector = parseSelector(metric);
      const demands = [{ selector, conditions: [parseCondition(selector.name, "max", "0")] }];
      return judgeThresholds(demands, run, { generatorCpu: 0 })[0]?.actual;
    };
    run.count(1, "abandoned", 2_000, 3);
    expect([actual("errors{workload:talk}"), actual("error_rate{workload:talk}")]).toEqual([3, 1]);
    run.count(0, "abandoned", 2_000, 99);
    expect([actual("errors{workload:beat}"), actual("error_rate{workload:beat}")]).toEqual([100, 0.5]);
  });

  test("selectors come back as they were written", () => {
    const texts = ["response", "response{workload:a}", "wait{workload:a,phase:b}", "delivery{workload:a,route:cross}"];
    for (const text of texts) {
      expect(formatSelector(parseSelector(text))).toBe(text);
    }
  });
});

test("a label that a metric does not have, or a route that there is not, is refused with what there is", () => {
  expect(() => parseSelector("delivery{route:crsos}")).toThrow('unknown route "crsos" (same, cross)');
  expect(() => parseSelector("response{route:cross}")).toThrow('unknown label "route" (workload, phase)');
  expect(() => parseSelector("delivery_p99_ratio{workload:a}")).toThrow("compares two workloads");
});

describe("the generator's health", () => {
  const limits = { generatorCpuMax: 0.85, eventLoopLagP99MaxMs: 50, startLagP99MaxMs: 20, achievedRateMin: 0.95 };
  const healthy: GeneratorFacts = {
    workers: [
      { cpu: 0.3, eventLoopLagP99Ms: 2 },
      { cpu: 0.4, eventLoopLagP99Ms: 1 },
    ],
    startLagP99Ms: 1.5,
    asked: 1_000,
    capped: 0,
    ended: 1_000,
    inFlightPeak: 17,
    inFlightMax: 500,
  };

  test("a healthy generator makes a valid run and shows its busiest worker", () => {
    expect(judgeGenerator(healthy, limits)).toMatchObject({ valid: true, reasons: [], cpu: 0.4, eventLoopLagP99Ms: 2 });
  });

  test.each<[Partial<GeneratorFacts>, string]>([
    [{ workers: [{ cpu: 0.9, eventLoopLagP99Ms: 2 }] }, "CPU of the busiest worker 90.0%, limit 85.0%"],
    [{ workers: [{ cpu: 0.1, eventLoopLagP99Ms: 51 }] }, "event-loop lag p99 51.0 ms, limit 50.0 ms"],
    [{ startLagP99Ms: 20.5 }, "start lag p99 20.5 ms, limit 20.0 ms"],
    [{ capped: 3 }, "3 operations not started: in-flight cap reached, limit 500"],
    [{ ended: 900 }, "achieved rate 90.0%, limit 95.0%"],
  ])("%j makes it invalid and says why", (change, reason) => {
    expect(judgeGenerator({ ...healthy, ...change }, limits)).toMatchObject({ valid: false, reasons: [reason] });
  });

  test("who seeks a ceiling may be the limit, and says so; whatever else is wrong stays wrong", () => {
    const busy = { ...healthy, workers: [{ cpu: 1.02, eventLoopLagP99Ms: 2 }] };
    const notes = ["the generator is the limit: CPU of the busiest worker 102.0% of a core"];
    expect(judgeGenerator(busy, limits, { seeksCeiling: true })).toMatchObject({ valid: true, reasons: [], notes });
    expect(judgeGenerator(busy, limits, { seeksCeiling: false })).toMatchObject({ valid: false, notes: [] });
    expect(judgeGenerator(healthy, limits, { seeksCeiling: true })).toMatchObject({ valid: true, notes: [] });
    const late = judgeGenerator({ ...busy, startLagP99Ms: 21 }, limits, { seeksCeiling: true });
    expect(late).toMatchObject({ valid: false, notes, reasons: ["start lag p99 21.0 ms, limit 20.0 ms"] });
  });

  test.each([
    ["store", "a: {do: store.plain, executor: closed, in_flight: 2}", true],
    ["store", "a: {do: store.plain, executor: constant-arrival-rate, rate: 9/s}", false],
    [
      "store",
      "a: {do: store.plain, executor: closed, in_flight: 2}\n  b: {do: store.plain, executor: per-user-period, period: 1s}",
      false,
    ],
    ["server", "a: {do: message.send, executor: closed, in_flight: 2}", false],
  ])("target %s with %s seeks a ceiling: %s", (mode, load, seeks) => {
    const contacts = mode === "server" ? 2 : 0;
    const yaml = `version: 1
name: s
description: d
target: {mode: ${mode}}
population: {users: 4, contacts: ${contacts}}
load:
  ${load}
phases: [{name: steady, duration: 1s}]
`;
    const loaded = loadScenario("s.yaml", () => yaml);
    if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
    expect(seeksCeiling(loaded.scenario)).toBe(seeks);
  });

  test("a run without open workloads is not judged by its rate", () => {
    expect(judgeGenerator({ ...healthy, asked: 0, ended: 0 }, limits).valid).toBe(true);
  });
});

test.each([
  [true, true, true, 0],
  [true, true, false, 7],
  [true, false, true, 8],
  [true, false, false, 8],
  [false, true, true, 9],
  [false, false, false, 9],
])("correct %s, generator valid %s, thresholds held %s: exit %d", (correct, generatorValid, thresholdsHeld, code) => {
  expect(decideExitCode({ correct, generatorValid, thresholdsHeld })).toBe(code);
});
