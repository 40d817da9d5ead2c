import { describe, expect, test } from "vitest";
import { judgeGenerator } from "../generator-health.ts";
import type { FaultReport } from "../ledger/faults.ts";
import { loadScenario } from "../scenario/load.ts";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import { judgeThresholds } from "../thresholds.ts";
import { collectWorkloads } from "./collect.ts";
import { formatBytes, formatCount, formatRate, formatShare, formatSpanMs, formatUs } from "./format.ts";
import { progressLine } from "./progress.ts";
import { type BenchResult, parseResult } from "./result.ts";
import { headlineOf, summaryText } from "./summary.ts";

const yaml = `version: 1
name: quickstart
description: Direct messages, groups, receipts, heartbeats and devices that come and go, all at once and for a good while.
population: {users: 256, devices: 2, contacts: 8}
load:
  direct: {do: message.send, executor: constant-arrival-rate, rate: 300/s}
  a-workload-with-a-long-name: {do: message.send, executor: closed, in_flight: 2}
  silent: {do: receipts, executor: constant-arrival-rate, rate: 1/h}
phases: [{name: steady, duration: 10s}]
thresholds: [{metric: "response{workload:direct}", p99: "< 50ms"}, {metric: "error_rate", max: 0}]
`;

function resultOf(exitCode: number, faults: FaultReport = { counts: {}, cases: [] }): BenchResult {
  const loaded = loadScenario("s.yaml", () => yaml);
  if (!loaded.ok) throw new Error("scenario");
  const { workloads, thresholds, limits } = loaded.scenario;
  const stats = new RunStats(workloads, new Timeline(loaded.scenario.phases));
  for (let at = 0; at < 3_000; at++) {
    stats.count(0, "asked", at);
    stats.started(0, at, at);
    stats.ended(0, at, at + 0.2, at + 1 + (at % 100), true);
    stats.delivered(0, at, at + 2 + (at % 100), "each");
    stats.delivered(0, at, at + 2 + (at % 100), at % 2 === 0 ? "same" : "cross");
  }
  stats.ended(1, 5, 5, 6, true);
  stats.ended(1, 5, 5, 6, false);
  const generator = judgeGenerator(
    {
      workers: [{ cpu: 0.41, eventLoopLagP99Ms: 3.2 }],
      startLagP99Ms: 1.1,
      asked: 3_000,
      capped: exitCode === 8 ? 7 : 0,
      ended: 3_000,
      inFlightPeak: 31,
      inFlightMax: 5_000,
    },
    limits,
  );
  return {
    version: 1,
    id: "quickstart-1",
    name: loaded.scenario.name,
    description: loaded.scenario.description,
    seed: 42,
    startedAt: "2026-01-01T00:00:00.000Z",
    recordedMs: 10_000,
    wallMs: 20_000,
    versions: { msgr: "0.1.0", node: "v24.0.0" },
    machine: { platform: "linux", cpu: "a processor", cores: 2, memoryBytes: 8e9 },
    scenario: {},
    users: 256,
    connections: 512,
    workers: 1,
    workloads: collectWorkloads(stats, workloads, { "a-workload-with-a-long-name": { rate_limited: 1 } }),
    ledger: {
      ok: exitCode !== 9,
      sent: 3_000,
      acked: 2_999,
      refused: 0,
      undecided: 1,
      undecidedInLog: 1,
      logRows: 3_000,
      delivered: 6_000,
      read: 1_200,
      conversationsScanned: 1_024,
      conversationsUnscanned: 0,
      devicesAbsent: 0,
      faults,
    },
    generator,
    thresholds: judgeThresholds(thresholds, stats, { generatorCpu: 0.41 }),
    server: { target: "embedded", rssPeakBytes: 200e6, durableWriteUs: 900 },
    clients: {
      reconnects: 1,
      resends: 0,
      syncs: 513,
      rangesSent: 0,
      receiptsSent: 2_000,
      receiptsRefused: 0,
      duplicateRows: 3,
      violations: 0,
    },
    interrupted: false,
    exitCode,
  };
}

const broken: FaultReport = {
  counts: { lost: 2, duplicated: 1, causal_order: 3, unread_wrong: 4 },
  cases: [
    {
      fault: "lost",
      detail:
        "sender 2 → device 3 in conversation 1: n 2 (seq 6, message 1004) and a good deal more to say about it, in a long line",
    },
  ],
};

test("a result survives its file", () => {
  const result = resultOf(0);
  expect(parseResult(JSON.stringify(result))).toEqual(result);
});

test("a result of another version is refused", () => {
  expect(() => parseResult(JSON.stringify({ ...resultOf(0), version: 2 }))).toThrow("version");
});

describe("the summary", () => {
  test.each([
    [0, undefined, "PASSED"],
    [7, undefined, "FAILED: 2 thresholds missed (exit 7)"],
    [8, undefined, "INVALID"],
    [9, broken, "BROKEN: 2 lost, 1 duplicated, 3 reordered, 4 other faults (exit 9)"],
  ])("of exit code %d ends with its verdict, within 100 columns", (exitCode, faults, verdict) => {
    const text = summaryText(resultOf(exitCode, faults), { colour: false, resultFile: "results/quickstart.json" });
    const lines = text.trimEnd().split("\n");
    expect(lines.at(-1)).toContain(verdict);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.length).toBeLessThan(30);
  });

  test("shows rates, percentiles, the ledger, the generator and the file", () => {
    const text = summaryText(resultOf(0), { colour: false, resultFile: "results/quickstart.json" });
    expect(text).toMatch(/direct +300 +300 +0 +50(\.\d+)? ms +90(\.\d+)? ms +99(\.\d+)? ms +100 ms/);
    expect(text).toMatch(/a-workload-with- \* +– +0\.1 +1/);
    expect(text).toMatch(/silent +0 +0 +0 +–/);
    expect(text).toContain("a-workload-with-a-long-name: rate_limited 1");
    expect(text).toContain("delivery    direct 300/s, p50");
    expect(text).toMatch(/; same server p50 5\d ms, other 5\d ms/);
    expect(text).toContain("sent 3,000, delivered 6,000, read 1,200, undecided 1 (1 in the log)");
    expect(text).toContain("lost 0, duplicated 0, reordered 0, other faults 0");
    expect(text).toContain("generator   valid, CPU 41%");
    expect(text).toContain("0 of 2 held");
    expect(text).toContain("missed: response{workload:direct} p99 < 50ms, was 99");
    expect(text).toContain("results/quickstart.json");
  });

  test("says that the generator was the limit of a ceiling, and does not claim that it kept up", () => {
    const result = resultOf(0);
    const generator = { ...result.generator, notes: ["the generator is the limit: CPU of the busiest worker 102.0%"] };
    const text = summaryText({ ...result, generator }, { colour: false });
    expect(text).toContain("generator   valid, CPU 41%");
    expect(text).toContain("the generator is the limit: CPU of the busiest worker 102.0%");
    expect(text.trimEnd().split("\n").at(-1)).toBe(
      "PASSED: nothing lost, duplicated or reordered; the generator is the limit; every threshold held",
    );
  });

  test("counts the deliveries of a workload by the phases in which it ran, and says nothing of a way that none took", () => {
    const [direct, ...others] = resultOf(0).workloads;
    if (direct?.delivery.cross === undefined) throw new Error("no workload");
    const delivery = { ...direct.delivery, cross: { ...direct.delivery.cross, count: 0 } };
    const half = { ...direct, askedPerSecond: 600, delivery };
    const text = summaryText({ ...resultOf(0), workloads: [half, ...others] }, { colour: false });
    expect(text).toMatch(/delivery +direct 600\/s, .*; same server p50 5\d ms, other –/);
  });

  test("says how long lost connections took to come back, and how often they tried", () => {
    const took = resultOf(0).workloads[0]?.response;
    if (took === undefined) throw new Error("no workload");
    const text = summaryText({ ...resultOf(0), resync: { took, attemptsMean: 1.25 } }, { colour: false });
    expect(text).toMatch(/resync +3,000 connections lost, in sync p50 50(\.\d+)? ms, .*; 1\.3 attempts each/);
    expect(summaryText(resultOf(0), { colour: false })).not.toContain("resync");
  });

  test("says what faults did to the servers and to those who were spared, and what is left in a queue", () => {
    const side = resultOf(0).workloads[0]?.delivery.each;
    if (side === undefined) throw new Error("no workload");
    const fault = {
      do: "server.kill",
      which: "server-2",
      plannedAtMs: 1,
      forMs: 1,
      atMs: 1,
      endMs: 2,
      ok: true,
    } as const;
    const frames = { queue: "frames", unit: "entries", before: 1, peak: 2_000, end: 1 } as const;
    const clients = { queue: "clients", unit: "bytes", before: 0, peak: 4_096, end: 2_048 } as const;
    const memory = { beforeBytes: 2 ** 27, peakBytes: 2 ** 28, endBytes: 2 ** 27 };
    const servers = [
      { server: "server-1", processes: 1, memory, queues: [frames] },
      { server: "server-2", processes: 2, memory: { beforeBytes: 1, peakBytes: 2 }, queues: [frames, clients] },
      { server: "server-3", processes: 0, queues: [] },
    ];
    const bystanders = { before: side, during: side, untilMs: 9, p99Ratio: 1 };
    const result = { ...resultOf(0), faults: [fault], servers, bystanders };
    expect(parseResult(JSON.stringify(result))).toEqual(result);
    const text = summaryText(result, { colour: false });
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const oneLine = text.replaceAll(/\n {12}/g, " ");
    expect(oneLine).toMatch(
      /bystanders  delivery before p50 5\d ms, p99 .* \(3,000\); until all were back .*: p99 100% of before/,
    );
    expect(oneLine).toContain(
      "memory      server-1 128 MiB before, peak 256 MiB, end 128 MiB; queues at most frames 2,000; nothing left",
    );
    expect(oneLine).toContain("server-2 (2 processes) 1 B before, peak 2 B, end not read; queues at most frames 2,000");
    expect(oneLine).toContain("clients 4 KiB; left clients 2 KiB");
    expect(oneLine).toContain("server-3 never read; what is left not read");
    expect(summaryText({ ...result, faults: [] }, { colour: false })).not.toContain("memory  ");
  });

  test("is coloured only when asked to", () => {
    expect(summaryText(resultOf(0), { colour: false })).not.toContain("\u001B");
    expect(summaryText(resultOf(0), { colour: true })).toContain("\u001B[32m");
  });
});

test("what is acked and gone is lost, and what was overtaken is reordered", () => {
  expect(
    headlineOf({ counts: { acked_not_in_log: 1, lost: 2, reordered: 1, causal_order: 1, diverged: 5 }, cases: [] }),
  ).toEqual({
    lost: 3,
    duplicated: 0,
    reordered: 2,
    other: 5,
  });
});

test("a progress line fits 100 columns and shows errors only when there are some", () => {
  const quiet = {
    atMs: 12_000,
    totalMs: 23_000,
    phase: "steady",
    startedPerSecond: 300,
    endedPerSecond: 299,
    deliveredPerSecond: 1_812,
    p50Us: 1_200,
    p99Us: 4_500,
    errors: 0,
    faults: 0,
    cpu: 0.43,
  };
  expect(progressLine(quiet, false)).toBe(
    "12s/23s   steady   300/s → 299/s       push 1,812/s  p50 1.2 ms p99 4.5 ms   cpu 43%",
  );
  const loud = progressLine(
    {
      ...quiet,
      startedPerSecond: 123_456,
      endedPerSecond: 99_999,
      deliveredPerSecond: 999_999,
      errors: 12,
      faults: 3,
      p50Us: 999_999,
      cpu: 0.9999,
    },
    false,
  );
  expect(loud).toContain("err 12 faults 3");
  expect(loud.length).toBeLessThanOrEqual(100);
});

describe("numbers for people", () => {
  test.each([
    [formatUs(0), "0 µs"],
    [formatUs(999), "999 µs"],
    [formatUs(1_234), "1.23 ms"],
    [formatUs(45_600), "45.6 ms"],
    [formatUs(2_000_000), "2 s"],
    [formatUs(180_000_000), "3m"],
    [formatSpanMs(90_000), "1m30s"],
    [formatSpanMs(250), "250ms"],
    [formatSpanMs(0), "0ms"],
    [formatSpanMs(7_200_000), "2h"],
    [formatCount(1_234_567), "1,234,567"],
    [formatRate(12_345.6), "12,346/s"],
    [formatRate(0.25), "0.25/s"],
    [formatShare(0.9995), "99.95%"],
    [formatShare(0.999999), "99.99%"],
    [formatShare(1), "100%"],
    [formatShare(0.0123), "1.23%"],
    [formatBytes(12_288), "12 KiB"],
    [formatBytes(500), "500 B"],
  ])("%s", (actual, expected) => expect(actual).toBe(expected));
});

describe("what a reader must not overlook", () => {
  const textOf = (change: (result: BenchResult) => BenchResult): string =>
    summaryText(change(resultOf(0)), { colour: false });

  test("what a durable write costs stands beside the rates, and that there was none", () => {
    expect(textOf((result) => result)).toContain("a lone durable write takes 900 µs here");
    expect(textOf((result) => ({ ...result, server: { ...result.server, dataInMemory: true } }))).toContain(
      "nothing here was durable",
    );
  });

  test("operations that never ended, and those that had nothing to do", () => {
    const text = textOf((result) => ({
      ...result,
      workloads: result.workloads.map((workload) => ({ ...workload, abandoned: 3, skipped: 1_200 })),
    }));
    expect(text).toContain("direct: 3 had not ended when the drain was over");
    expect(text).toContain("direct: 1,200 skipped");
  });

  test("repairs of the clients, when there were any", () => {
    const clients = { ...resultOf(0).clients, reconnects: 2, rangesSent: 5 };
    expect(textOf((result) => ({ ...result, clients }))).toContain("2 connections lost, 5 holes asked for");
    expect(textOf((result) => ({ ...result, clients: { ...clients, reconnects: 0, rangesSent: 0 } }))).not.toContain(
      "clients",
    );
  });

  test("a run that was cut short says by what", () => {
    expect(textOf((result) => ({ ...result, exitCode: 130 }))).toContain("INTERRUPTED");
    expect(textOf((result) => ({ ...result, exitCode: 4, server: { ...result.server, died: "SIGKILL" } }))).toMatch(
      /it died \(SIGKILL\)[^]*ENDED EARLY/,
    );
  });
});

describe("the summary of a run on the stores", () => {
  const scenario = loadScenario(
    "s.yaml",
    () => `version: 1
name: ceilings
description: our adapter beside the bare driver
target: {mode: store}
population: {users: 10}
load:
  append: {do: store.append, executor: closed, in_flight: 2, during: one}
  append-bare: {do: store.append, client: bare, executor: closed, in_flight: 2, during: two}
phases: [{name: one, duration: 10s}, {name: two, duration: 10s}]
`,
  );
  if (!scenario.ok) throw new Error("scenario");
  const { phases, workloads: two } = scenario.scenario;

  function storeResult(faults: FaultReport = { counts: {}, cases: [] }): BenchResult {
    const stats = new RunStats(two, new Timeline(phases));
    for (let at = 0; at < 900; at++) stats.ended(0, at, at, at + 5, true);
    for (let at = 0; at < 1_000; at++) stats.ended(1, 10_000 + at, 10_000 + at, 10_000 + at + 4, true);
    const base = resultOf(0, faults);
    return {
      ...base,
      connections: 0,
      workloads: collectWorkloads(stats, two, {}, [90, 80]),
      ledger: { ...base.ledger, sent: 1_900, acked: 1_900, undecided: 0, logRows: 1_900, presenceChecked: 60, faults },
      stores: [{ name: "redis", version: "7.0.15", address: "127.0.0.1:6379", cpu: 0.5, commandsPerSecond: 250_000 }],
    };
  }

  test("compares the clients by rate and by what an operation costs, each over its own phases", () => {
    const text = summaryText(storeResult(), { colour: false });
    expect(text).toMatch(/append \* +– +90 +0/);
    expect(text).toContain("ratio       append 90% of append-bare");
    expect(text).toContain("worker CPU  append 100 µs, append-bare 80 µs an operation");
  });

  test("says what was read back, and on which stores", () => {
    const text = summaryText(storeResult(), { colour: false });
    expect(text).toContain("wrote 1,900, acknowledged 1,900; read back 1,900 rows of 1,024 conversations; 60 answers");
    expect(text).toContain("stores      redis 7.0.15 on 127.0.0.1:6379, CPU 50%, 250,000/s commands");
    expect(text).toContain("256 users, 1 worker");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("names people who looked offline", () => {
    const faults: FaultReport = {
      counts: { false_offline: 3 },
      cases: [{ fault: "false_offline", detail: "user 7 was offline 20 ms after a heartbeat" }],
    };
    const text = summaryText(storeResult(faults), { colour: false });
    expect(text).toContain("false offline 3, other faults 0");
    expect(text).toContain("user 7 was offline 20 ms after a heartbeat");
  });

  test("survives its file", () => {
    expect(parseResult(JSON.stringify(storeResult()))).toEqual(storeResult());
  });
});
