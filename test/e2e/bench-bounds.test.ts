import { expect, it } from "vitest";
import { present } from "../../src/base/assert.ts";
import { expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

/** Links break, and then large messages come: the server's memory grows by some MiB, as it may. */
const scenario = (thresholds: string): string => `version: 1
name: bounds
description: A server that takes more after a fault than before it.
population: { users: 8, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
  large: { do: message.send, executor: closed, in_flight: 16, size: 30KiB, during: after }
faults: [{ at: 5s, do: proxy.reset, which: clients }]
phases:
  - { name: before, duration: 13s }
  - { name: after, duration: 4s }
  - { name: drain, duration: 40s }
verify: { presence: 0% }
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }
thresholds: [${thresholds}]
`;

it("memory that grows beyond its ceiling is a missed threshold: exit 7, and says by how much", async () => {
  using folder = temporaryFolder();
  const end = await startBench(folder.path, scenario("{ metric: server_memory_growth, max: 64KiB }")).ended;
  expectBenchExit(end, 7);
  const { thresholds, servers } = present(end.result, "result");
  expect(thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric)).toEqual(["server_memory_growth"]);
  expect(servers).toMatchObject([{ server: "server-1", processes: 1, memory: { endBytes: expect.any(Number) } }]);
  expect(end.stdout).toMatch(/missed: server_memory_growth max 64KiB, was \d+(\.\d+)? MiB/);
});

it("the same growth is well within the default, and nothing is left in any queue", async () => {
  using folder = temporaryFolder();
  const end = await startBench(folder.path, scenario("")).ended;
  expectBenchExit(end, 0);
  const { thresholds, servers } = present(end.result, "result");
  expect(thresholds.find(({ metric }) => metric === "server_memory_growth")).toMatchObject({
    demanded: "512MiB",
    ok: true,
  });
  const queues = servers?.[0]?.queues ?? [];
  expect(queues.map(({ queue }) => queue)).toEqual(["frames", "lmdb", "fan_out_jobs", "clients"]);
  expect(queues.filter(({ end: level }) => level === undefined)).toEqual([]);
  expect(Math.max(...queues.map(({ peak }) => peak))).toBeGreaterThan(0);
});
