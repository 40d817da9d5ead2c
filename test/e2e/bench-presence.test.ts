import path from "node:path";
import { expect, it } from "vitest";
import { present } from "../../src/base/assert.ts";
import { expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { startForgingProxy } from "../helpers/forging-proxy.ts";
import { startServer, temporaryFolder } from "../helpers/server-process.ts";

/** Tests share their cores: what is promised within a second has ten here, unless a test says otherwise. */
const watched = (onlineMax = "10s"): string => `version: 1
name: watched
description: A few people write, and everybody is watched.
population: { users: 4, devices: 2, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 5/s }
  # What nobody answers any more proves nothing: so often that little stays unproven.
  beat: { do: presence.heartbeat, executor: per-user-period, period: 1s }
verify: { presence: 1% }
phases: [{ name: steady, duration: 14s }, { name: drain, duration: 10s }]
thresholds: [{ metric: presence_online, max: ${onlineMax} }, { metric: presence_left, max: 10s }]
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }
`;

it("people who come and go are seen to do so, and nobody alive looks offline", async () => {
  using folder = temporaryFolder();
  const end = await startBench(folder.path, watched(), ["--workers", "2"]).ended;
  expectBenchExit(end, 0);
  const presence = present(end.result?.presence, "presence");
  // Four of the population, a commuter, two who vanish, one who stays; one watcher.
  expect(presence).toMatchObject({ users: 8, watchers: 1, falseOffline: 0, excused: 0 });
  expect(presence.online.count).toBeGreaterThan(0);
  expect(presence.left.count).toBeGreaterThan(0);
  expect(presence.checkedMs).toBeGreaterThan(20_000);
  expect(end.stdout).toMatch(/presence +8 users seen by 1 watcher; none falsely offline; seen online /);
});

it("a bound that no server keeps is missed: exit 7", async () => {
  using folder = temporaryFolder();
  const end = await startBench(folder.path, watched("1ms")).ended;
  expectBenchExit(end, 7);
  expect(end.stdout).toMatch(/missed: presence_online max 1ms, was /);
  expect(end.result?.ledger.ok).toBe(true);
});

it("somebody alive who is said to be offline is a fault of the ledger: exit 9", async () => {
  using folder = temporaryFolder();
  const data = path.join(folder.path, "data");
  await using server = await startServer(data);
  // Seven or eight people are told every two seconds: two rounds, a few seconds after they came.
  await using proxy = await startForgingProxy(server.url, 0, 0, [25, 40]);
  const words = ["--url", proxy.url, "--admin-url", server.adminUrl, "--admin-token-file", `${data}.token`];
  const end = await startBench(folder.path, watched(), words).ended;
  expectBenchExit(end, 9);
  expect(proxy.lies()).toBe(16);
  expect(end.result?.ledger.faults.counts.false_offline).toBeGreaterThan(4);
  expect(end.result?.presence?.falseOffline).toBe(end.result?.ledger.faults.counts.false_offline);
  expect(end.stdout).toContain("false_offline: user ");
});
