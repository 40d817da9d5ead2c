import { describe, expect, test } from "vitest";
import { formatProblems, loadScenario } from "./load.ts";
import { computePlan } from "./plan.ts";
import { planText } from "./plan-text.ts";
import type { Scenario } from "./schema.ts";

function scenario(faults: string, target = "{ profile: cluster, servers: 2 }"): string {
  return `version: 1
name: struck
description: Messages while things break.
target: ${target}
population: { users: 4, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
phases: [{ name: steady, duration: 60s }]
faults:
${faults}
`;
}

function load(text: string): Scenario {
  const loaded = loadScenario("s.yaml", () => text);
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.scenario;
}

function problems(text: string): string {
  const loaded = loadScenario("s.yaml", () => text);
  return loaded.ok ? "" : formatProblems(loaded.problems);
}

const three = "{ profile: cluster, cassandra_nodes: 3 }";

describe("faults of a scenario", () => {
  test("are read with their units", () => {
    const { faults } = load(
      scenario(`  - { at: 10s, do: server.kill, which: server-2, for: 5s }
  - { at: 20s, do: proxy.latency, which: redis, for: 500ms, latency: 100ms, jitter: 20ms }
  - { at: 30s, do: proxy.throttle, which: clients, for: 1s, bandwidth: 64kB/s }
  - { at: 40s, do: store.flush, which: redis }`),
    );
    expect(faults).toMatchObject([
      { atMs: 10_000, do: "server.kill", which: "server-2", forMs: 5_000 },
      { do: "proxy.latency", which: "redis", forMs: 500, latencyMs: 100, jitterMs: 20 },
      { do: "proxy.throttle", bytesPerSecond: 64_000 },
      { do: "store.flush", forMs: 0 },
    ]);
  });

  test("are in the plan", () => {
    const plan = computePlan(load(scenario("  - { at: 10s, do: store.pause, which: redis, for: 5s }")), {
      cores: 2,
      openFilesMax: 1_024,
    });
    expect(plan.faults).toEqual(["10s store.pause redis for 5s"]);
    expect(planText(plan)).toContain("10s store.pause redis for 5s");
  });

  test.each([
    [
      "{ at: 1s, do: server.kil, which: server-1, for: 1s }",
      /10:19 .*unknown fault "server\.kil".*did you mean "server\.kill"/,
    ],
    [
      "{ at: 1s, do: server.kill, wich: server-1, for: 1s }",
      /10:32 unknown key "wich" in faults\[0\].*did you mean "which"/,
    ],
    [
      "{ at: 1s, do: server.kill, which: server-3, for: 1s }",
      /10:39 .*cannot strike "server-3" \(server-1, server-2\)/,
    ],
    ["{ at: 1s, do: store.kill, which: redi, for: 1s }", /did you mean "redis"/],
    ["{ at: 1s, do: store.kill, which: redis }", /store\.kill lasts: say for how long/],
    ["{ at: 1s, do: store.flush, which: redis, for: 1s }", /10:51 .*store\.flush is over at once/],
    ["{ at: 1s, do: store.flush, which: postgres }", /store\.flush empties redis only/],
    [
      "{ at: 1s, do: store.kill, which: redis, for: 1s, latency: 5ms }",
      /10:63 .*has no latency: it belongs to proxy\.latency/,
    ],
    ["{ at: 1s, do: proxy.latency, which: clients, for: 1s }", /proxy\.latency needs latency/],
    ["{ at: 1s, do: proxy.throttle, which: clients, for: 1s, bandwidth: 5 }", /size 5 has no unit/],
    ["{ at: 1s, do: proxy.cut, which: kafka, for: 1s }", /its brokers tell their own addresses/],
    ["{ at: 1m, do: store.pause, which: redis, for: 1s }", /ends at 1m1s, the load at 1m/],
    ["{ do: store.pause, which: redis, for: 1s }", /missing: faults\[0\]\.at/],
  ])("%s is a mistake, and its place is told", (fault, said) => {
    expect(problems(scenario(`  - ${fault}`))).toMatch(said);
  });

  test("do not strike the same at one time", () => {
    const two = `  - { at: 1s, do: store.kill, which: redis, for: 5s }
  - { at: 6s, do: store.flush, which: redis }`;
    expect(problems(scenario(two))).toMatch(/11:11 faults\[1\]: at the same time as store\.kill redis/);
    expect(problems(scenario(two.replace("6s", "7s")))).toBe("");
  });

  test("strike what the run has", () => {
    const redis = "  - { at: 1s, do: store.kill, which: redis, for: 5s }";
    expect(problems(scenario(redis, "{}"))).toMatch(/needs profile: cluster/);
    expect(problems(scenario(redis, "{ mode: store }"))).toMatch(/they need a server/);
    const node = "  - { at: 1s, do: store.kill, which: cassandra-2, for: 5s }";
    expect(problems(scenario(node))).toMatch(/cannot strike "cassandra-2"/);
    expect(problems(scenario(node, three))).toBe("");
    const link = "  - { at: 1s, do: proxy.cut, which: cassandra, for: 5s }";
    expect(problems(scenario(link))).toBe("");
    expect(problems(scenario(link, three))).toMatch(
      /10:37 .*of 3 nodes each tells the others' addresses.*cassandra_nodes: 1\)$/,
    );
    expect(problems(scenario("  - { at: 1s, do: server.kill, which: server-1, for: 5s }", "{}"))).toBe("");
  });

  test("strike nodes of one store at the same time when a killed one does not bring back another too early", () => {
    const two = (first: string, second: string): string =>
      problems(scenario(`  - { at: 5s, ${first} }\n  - { at: 5s, ${second} }`, three));
    const kill = "do: store.kill, which: cassandra-2, for: 5s";
    expect(two(kill, "do: store.kill, which: cassandra-3, for: 5s")).toBe("");
    expect(two(kill, "do: store.pause, which: cassandra-3, for: 20s")).toMatch(
      /11:\d+ faults\[1\]: beside store\.kill cassandra-2 \(at 5s\), and not over with it/,
    );
    expect(two("do: store.pause, which: cassandra-2, for: 9s", "do: store.pause, which: cassandra, for: 5s")).toBe("");
    expect(two(kill, "do: store.kill, which: redis, for: 20s")).toBe("");
    const after = `  - { at: 5s, ${kill} }\n  - { at: 10s, do: store.pause, which: cassandra-3, for: 20s }`;
    expect(problems(scenario(after, three))).toBe("");
  });

  test("nodes of Cassandra belong to a run that starts them", () => {
    expect(problems(scenario("  []", "{ cassandra_nodes: 3 }"))).toMatch(
      /4:\d+ target\.cassandra_nodes: .*profile: cluster/,
    );
    expect(problems(scenario("  []", "{ profile: cluster, cassandra_nodes: 2 }"))).toMatch(/expected 1 or 3/);
    const store = scenario("  []", "{ mode: store, profile: cluster, cassandra_nodes: 3 }");
    expect(problems(store)).toMatch(/takes them as they are/);
  });

  test("several servers share stores", () => {
    expect(problems(scenario("  []", "{ servers: 2 }"))).toMatch(/target\.servers: several servers need the stores/);
  });

  test("end the load when the phase says so", () => {
    const text = scenario("  - { at: 1s, do: store.flush, which: redis }");
    expect(load(text).endsAfterFaults).toBe(false);
    const until = text.replace("duration: 60s", "duration: 60s, until: faults");
    expect(load(until).endsAfterFaults).toBe(true);
    const early = until.replace("}]", "}, { name: late, duration: 9s }]");
    expect(problems(early)).toMatch(/8:10 phases\[0\]: until belongs to the last phase under load/);
    const none = until.replace(/faults:\n.*\n/, "");
    expect(problems(none)).toMatch(/until: faults, but there are none/);
  });

  test("recovery is measured after them only", () => {
    const demand = `thresholds: [{ metric: recovery, max: 10s }]\n`;
    expect(problems(scenario("  []") + demand)).toMatch(/recovery is measured after faults/);
    expect(problems(scenario("  - { at: 1s, do: store.flush, which: redis }") + demand)).toBe("");
  });

  test("those who are spared are compared where there are some, and somebody who is not", () => {
    const demand = `thresholds: [{ metric: bystander_delivery_p99_ratio, max: 200% }]\n`;
    const kill = "  - { at: 1s, do: server.kill, which: server-1, for: 1s }";
    const two = "{ profile: cluster, servers: 2 }";
    expect(problems(scenario(kill, two) + demand)).toBe("");
    expect(problems(scenario(kill, "{}") + demand)).toMatch(/needs a server that is struck, and one that is not/);
    expect(problems(scenario("  []", two) + demand)).toMatch(/needs a server that is struck/);
  });
});
