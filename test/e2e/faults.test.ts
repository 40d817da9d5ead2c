import { homedir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { present } from "../../src/base/assert.ts";
import type { BenchResult } from "../../src/bench/report/result.ts";
import { type BenchEnd, expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { startForgingProxy } from "../helpers/forging-proxy.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { startServer, temporaryFolder } from "../helpers/server-process.ts";

/** Tests share their cores: what the generator could not do says nothing here. */
const noLimits = "limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }";
/** What is promised of presence within a second takes longer on such a machine. */
const patience = `verify: { presence: 1% }
thresholds: [{ metric: presence_online, max: 15s }, { metric: presence_left, max: 15s }]`;

/** Codes that tell a client to try again. `internal` is none: it is what nobody had thought of. */
const retryable = new Set(["store_unavailable", "overloaded", "out_of_order", "not_ready", "rate_limited"]);
/** Of requests that a lost connection left without an answer. */
const unanswered = new Set(["disconnected", "unreachable"]);

/** Nobody may have lost, doubled or reordered anything; everybody is back. */
function expectWhole(end: BenchEnd): BenchResult {
  expectBenchExit(end, 0);
  const { result, leftovers } = end;
  const { ledger, faults = [], refusals = {}, workloads, ...others } = present(result, "result");
  const presence = present(others.presence, "presence");
  expect(ledger).toMatchObject({ ok: true, undecided: 0, conversationsUnscanned: 0, devicesAbsent: 0 });
  expect(ledger.faults.counts).toEqual({});
  expect(presence.online.count).toBeGreaterThan(0);
  expect(presence.checkedMs).toBeGreaterThan(0);
  expect(ledger.acked).toBe(ledger.sent);
  expect(faults.filter(({ ok }) => !ok)).toEqual([]);
  expect(Object.keys(refusals).filter((name) => !retryable.has(name))).toEqual([]);
  const failures = workloads.flatMap(({ errors }) => Object.keys(errors));
  expect(failures.filter((name) => !retryable.has(name) && !unanswered.has(name))).toEqual([]);
  expect(leftovers).toEqual([]);
  return present(result, "result");
}

const embedded = (faults: string): string => `version: 1
name: struck
description: Messages and media while a server and the way to it break.
population: { users: 12, devices: 2, contacts: 2, groups: [{ members: 6, count: 2 }] }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
  group: { do: group.send, executor: constant-arrival-rate, rate: 2/s, members: 6 }
faults:
${faults}
phases: [{ name: steady, duration: 4m, until: faults }, { name: drain, duration: 40s }]
${noLimits}
${patience}
`;

/**
 * Between the end of a fault and the next one there is room for three calm seconds, for what a busy machine puts before
 * them, and for the wait between two attempts, which grows with the time that a server was away: it is killed last.
 */
const links = `  - { at: 5s, do: proxy.reset, which: clients }
  - { at: 17s, do: proxy.half_open, which: server-1, for: 1s }
  - { at: 32s, do: server.kill, which: server-1, for: 500ms }`;

it("a server that is killed, and links that break, cost time and nothing else", { timeout: 240_000 }, async () => {
  using folder = temporaryFolder();
  const result = expectWhole(await startBench(folder.path, embedded(links)).ended);
  expect(result.clients.reconnects).toBeGreaterThanOrEqual(3 * result.connections);
  expect(result.faults?.map(({ do: kind, which }) => `${kind} ${which}`)).toEqual([
    "proxy.reset clients",
    "proxy.half_open server-1",
    "server.kill server-1",
  ]);
  const demanded = result.thresholds.map(({ metric, demanded: bound, ok }) => `${metric} ${bound} ${ok}`);
  expect(demanded).toEqual(
    expect.arrayContaining([
      "recovery 30s true",
      "server_memory_growth 512MiB true",
      "server_queue_entries_left 16 true",
      "server_queue_bytes_left 64KiB true",
    ]),
  );
  expect(result.servers).toMatchObject([{ server: "server-1", processes: 2 }]);
});

it("a message that is lost while things break is found: exit 9", async () => {
  using folder = temporaryFolder();
  const data = path.join(folder.path, "data");
  await using server = await startServer(data);
  await using proxy = await startForgingProxy(server.url, 60);
  const words = ["--url", proxy.url, "--admin-url", server.adminUrl, "--admin-token-file", `${data}.token`];
  const faults = "  - { at: 4s, do: proxy.cut, which: clients, for: 500ms }";
  const end = await startBench(folder.path, embedded(faults), words).ended;
  const { stderr, result } = end;
  expect({ lies: proxy.lies(), stderr }).toMatchObject({ lies: 1 });
  expectBenchExit(end, 9);
  expect(result?.faults).toMatchObject([{ do: "proxy.cut", which: "clients" }]);
  expect(result?.ledger.faults.counts.acked_not_in_log).toBe(1);
});

it("of a server that somebody else runs only the way to it is struck: exit 2", async () => {
  using folder = temporaryFolder();
  const words = ["--url", "http://127.0.0.1:1", "--admin-url", "http://127.0.0.1:1", "--admin-token-file", "none"];
  const faults = "  - { at: 4s, do: server.kill, which: server-1, for: 1s }";
  const end = await startBench(folder.path, embedded(faults), words).ended;
  expectBenchExit(end, 2);
  expect(end.stderr).toContain("strike servers and stores that the run must own");
  const threeNodes = embedded("  []").replace(", until: faults", "");
  const target = "target: { profile: cluster, cassandra_nodes: 3 }\nload:";
  const other = await startBench(folder.path, threeNodes.replace("load:", target), words).ended;
  expectBenchExit(other, 2);
  expect(other.stderr).toContain("Three nodes of Cassandra are those of a run's own servers");
});

/**
 * Kills are short: what counts is what happens until the process is back. Pauses are as long as a hiccup of a machine.
 * Five seconds before the first say what is normal.
 */
const onStores = `version: 1
name: struck-stores
description: Messages, media and pages while every store and server is killed and paused.
target: { profile: cluster, servers: 2 }
population: { users: 16, devices: 2, contacts: 2, groups: [{ members: 6, count: 2 }] }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 4/s }
  group: { do: group.send, executor: constant-arrival-rate, rate: 1/s, members: 6 }
  read: { do: receipts, executor: constant-arrival-rate, rate: 1/s }
  media: { do: media.roundtrip, executor: constant-arrival-rate, rate: 1/s, size: 16KiB }
faults:
  - { at: 5s, do: store.pause, which: redis, for: 5s }
  - { at: 5s, do: store.pause, which: postgres, for: 5s }
  - { at: 6s, do: store.kill, which: s3, for: 500ms }
  - { at: 24s, do: server.pause, which: server-1, for: 5s }
  - { at: 24s, do: store.pause, which: s3, for: 5s }
  - { at: 26s, do: store.flush, which: redis }
  - { at: 44s, do: store.pause, which: cassandra, for: 5s }
  - { at: 64s, do: server.kill, which: server-2, for: 500ms }
  - { at: 64s, do: store.kill, which: redis, for: 500ms }
  - { at: 80s, do: store.kill, which: postgres, for: 500ms }
  - { at: 80s, do: store.kill, which: cassandra, for: 500ms }
phases: [{ name: steady, duration: 6m, until: faults }, { name: drain, duration: 60s }]
${noLimits}
${patience}
`;

describeOn(["cassandra", "postgres", "redis", "s3"], "stores and servers of a run's own", () => {
  it("each killed and paused under load, and Redis emptied: nothing is lost", { timeout: 600_000 }, async () => {
    using folder = temporaryFolder();
    const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
    const variables = { XDG_CACHE_HOME: cache, ...pick("JAVA_HOME") };
    const result = expectWhole(await startBench(folder.path, onStores, [], variables).ended);
    expect(result.faults).toHaveLength(11);
    expect(result.refusals?.["store_unavailable"]).toBeGreaterThan(0);
  });
});

function pick(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}
