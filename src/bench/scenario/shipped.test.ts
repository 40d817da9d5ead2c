import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatProblems, loadScenario } from "./load.ts";
import { operationNames, operations } from "./operations.ts";
import { computePlan } from "./plan.ts";
import { planText } from "./plan-text.ts";

const folder = fileURLToPath(new URL("../../../scenarios/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

function scenarioOf(name: string, sets: string[] = []) {
  const loaded = loadScenario(name, (path) => readFileSync(`${folder}${path}`, "utf8"), { sets });
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.scenario;
}

test("the scenarios that the project promises are shipped", () => {
  expect(files).toEqual(
    expect.arrayContaining(
      [
        "quickstart",
        "smoke",
        "direct-messages",
        "group-fanout",
        "offline-sync",
        "idle-connections",
        "history-reads",
        "history-beside-writes",
        "two-nodes",
        "large-group",
        "reconnect",
        "faults-smoke",
        "faults-long",
        "faults-cassandra",
        "heartbeats",
        "store-ceilings",
      ].map((name) => `${name}.yaml`),
    ),
  );
});

describe.each(files)("%s", (file) => {
  test("is sound, named as its file, and opens with the question it answers", () => {
    expect(`${scenarioOf(file).name}.yaml`).toBe(file);
    const comment = readFileSync(`${folder}${file}`, "utf8").split(/\n(?!#)/, 1)[0];
    expect(comment).toMatch(/^# [^]*\?/);
  });

  test("has a plan without warnings on a common machine, in at most 100 columns", () => {
    const plan = computePlan(scenarioOf(file), { cores: 4, openFilesMax: 20_000 });
    expect(plan.warnings.filter((warning) => !warning.startsWith("closed and open"))).toEqual([]);
    for (const line of planText(plan).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

/** Some of what many processes must reach needs several of them, and so the stores that they share. */
const severalServers = [
  "two-nodes.yaml",
  "reconnect.yaml",
  "faults-smoke.yaml",
  "faults-long.yaml",
  "faults-cassandra.yaml",
];
const onServers = files.filter((file) => scenarioOf(file).target.mode === "server");

test.each(onServers)(
  "%s runs unchanged on the cluster profile, on embedded unless it needs several servers",
  (file) => {
    expect(scenarioOf(file, ["target.profile=cluster"]).target.profile).toBe("cluster");
    const text = readFileSync(`${folder}${file}`, "utf8");
    const embedded = loadScenario(file, () => text, { sets: ["target.profile=embedded"] });
    expect(embedded.ok).toBe(!severalServers.includes(file));
  },
);

/**
 * What a scenario asks Cassandra for, roughly: an append is four statements, a member's list row one, a receipt a read and
 * two writes. Two cores that carry the load as well have some 2,000 a second to give.
 */
function statementsPerSecond(file: string): number {
  const scenario = scenarioOf(file);
  const { devices } = scenario.population;
  return scenario.workloads.reduce((sum, { do: does, options, when }) => {
    if (when.executor !== "constant-arrival-rate") return sum;
    const members = does === "message.send" ? 2 : does === "group.send" ? options.members : 0;
    return members === 0 ? sum : sum + when.options.rate * (4 + members + 3 * (members * devices - 1));
  }, 0);
}

test.each(["two-nodes.yaml", "large-group.yaml", "reconnect.yaml", "offline-sync.yaml", "group-fanout.yaml"])(
  "%s asks for no more than a small cluster gives",
  (file) => {
    expect(statementsPerSecond(file)).toBeGreaterThan(0);
    expect(statementsPerSecond(file)).toBeLessThan(2_000);
  },
);

test("quickstart asks for every kind of traffic and ends within 45 seconds", () => {
  const scenario = scenarioOf("quickstart.yaml");
  const plan = computePlan(scenario, { cores: 2, openFilesMax: 1_024 });
  expect(plan.totalMs).toBeLessThan(45_000);
  expect(new Set(scenario.workloads.map((workload) => workload.do))).toEqual(
    new Set(["message.send", "group.send", "receipts", "presence.heartbeat", "session.sync"]),
  );
  expect(plan.workers).toHaveLength(1);
});

test("smoke runs every operation on a server", () => {
  const onServer = operationNames.filter((name) => operations[name].targets.includes("server"));
  const done = new Set(scenarioOf("smoke.yaml").workloads.map((workload) => workload.do));
  expect(done).toEqual(new Set(onServer));
});

test("a plan adds up", () => {
  const plan = computePlan(scenarioOf("quickstart.yaml"), { cores: 4, openFilesMax: 20_000 });
  expect(plan).toMatchObject({
    users: 256,
    connections: 512,
    conversations: 1_060,
    historyMessages: 0,
    sourceAddresses: 1,
  });
  expect(plan.workloads[0]).toMatchObject({ ratePerSecond: 100, operations: 2_300, deliveriesPerSecond: 300 });
  expect(plan.workloads[1]?.deliveriesPerSecond).toBe(150);
  expect(plan.workloads[4]?.ratePerSecond).toBeCloseTo(25.6);
  expect(plan.workers.reduce((sum, worker) => sum + worker.users, 0)).toBe(256);
  expect(plan.workers).toHaveLength(3);
});

test("workers are as many as the open files need", () => {
  const scenario = scenarioOf("idle-connections.yaml", ["population.users=60k"]);
  expect(computePlan(scenario, { cores: 2, openFilesMax: 20_000 })).toMatchObject({ sourceAddresses: 3, warnings: [] });
  expect(computePlan(scenario, { cores: 2, openFilesMax: 20_000 }).workers).toHaveLength(4);
  expect(computePlan(scenario, { cores: 2, openFilesMax: 20_000 }, 1).warnings[0]).toContain(
    "60000 connections a worker",
  );
});

test("closed workloads have no rate", () => {
  const plan = computePlan(scenarioOf("direct-messages.yaml"), { cores: 2, openFilesMax: 20_000 });
  expect(plan.workloads[0]).toMatchObject({ ratePerSecond: undefined, operations: undefined, inFlight: 200 });
  expect(planText(plan)).toContain("200 at once");
});
