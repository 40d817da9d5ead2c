import { describe, expect, test } from "vitest";
import { formatProblems, loadScenario, type LoadScenarioOptions } from "./load.ts";
import type { Scenario } from "./schema.ts";

const short = `version: 1
name: short
description: Four seconds in which nothing breaks.
target: { profile: cluster, servers: 2 }
population: { users: 4, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
phases: [{ name: warmup, duration: 3s, record: false }, { name: steady, duration: 4s }, { name: drain, duration: 9s }]
thresholds: [{ metric: error_rate, max: 0 }]
`;

function read(options: LoadScenarioOptions, text = short): Scenario | string {
  const loaded = loadScenario("s.yaml", () => text, options);
  return loaded.ok ? loaded.scenario : formatProblems(loaded.problems);
}

const kill = "server.kill which=server-2 at=5s for=1s";

test("a scenario without added faults is as it was", () => {
  expect(read({ faults: [] })).toEqual(read({}));
  expect(read({})).toMatchObject({ endsAfterFaults: false, loadMsMin: 0, demandsRecovery: true });
});

test("faults are added to a scenario that has none, and to one that has some", () => {
  const added = [kill, "proxy.latency which=redis at=6s for=500ms latency=100ms jitter=20ms"];
  expect(read({ faults: added })).toMatchObject({
    faults: [
      { do: "server.kill", which: "server-2", atMs: 5_000, forMs: 1_000 },
      { do: "proxy.latency", which: "redis", atMs: 6_000, forMs: 500, latencyMs: 100, jitterMs: 20 },
    ],
  });
  const own = `${short}faults: [{ at: 1s, do: store.flush, which: redis }]\n`;
  expect(read({ faults: [kill] }, own)).toMatchObject({ faults: [{ do: "store.flush" }, { do: "server.kill" }] });
});

test("the load lasts until the faults are over, in its last phase, and as long as it says", () => {
  expect(read({ faults: [kill] })).toMatchObject({
    endsAfterFaults: true,
    loadMsMin: 7_000,
    drainMs: 9_000,
    phases: [
      { name: "warmup", durationMs: 3_000 },
      { name: "steady", durationMs: 304_000 },
    ],
  });
  const late = read({ faults: ["store.kill which=redis at=1m for=10s"] });
  expect(late).toMatchObject({ loadMsMin: 7_000, phases: [{}, { durationMs: 367_000 }] });
  const until =
    short.replace("duration: 4s", "duration: 4s, until: faults") +
    "faults: [{ at: 1s, do: store.flush, which: redis }]\n";
  expect(read({ faults: [kill] }, until)).toMatchObject({ endsAfterFaults: true, loadMsMin: 0 });
});

test("thresholds of a run in which nothing breaks are left out; those given beside the faults count", () => {
  expect(read({ faults: [kill] })).toMatchObject({ thresholds: [], demandsRecovery: false });
  const sets = ["thresholds=[{metric: recovery, max: 10s}]", "phases.1.duration=20s"];
  expect(read({ faults: [kill], sets })).toMatchObject({
    thresholds: [{ selector: { name: "recovery" } }],
    loadMsMin: 23_000,
  });
});

describe("a mistake is told with its place", () => {
  test.each([
    ["server.kil which=server-1 at=1s for=1s", /^--fault server\.kil .*:1:1 .*did you mean "server\.kill"/],
    ["server.kill wich=server-1 at=1s for=1s", /:1:13 unknown key "wich" in faults\[0\].*did you mean "which"/],
    ["server.kill which=server-3 at=1s for=1s", /:1:19 faults\[0\]: server\.kill cannot strike "server-3"/],
    ["server.kill which=server-1 at=1s", /server\.kill lasts: say for how long/],
    ["server.kill which=server-1 at=soon for=1s", /:1:31 .*soon/],
    ["store.kill which=redi at=1s for=1s", /did you mean "redis"/],
    ["server.kill server-1 at=1s for=1s", /:1:13 write it as in "server\.kill which=/],
    ["server.kill which=server-1 which=server-2 at=1s for=1s", /:1:28 write it as in/],
    ["server.kill which= at=1s for=1s", /:1:19 /],
    ["=1s", /:1:1 write it as in/],
    ["", /missing: faults\[0\]/],
  ])("%s", (text, said) => expect(read({ faults: [text] })).toMatch(said));
});

test("a scenario on the stores has no server to strike", () => {
  const store = `version: 1
name: pages
description: Rows without a server.
target: { mode: store }
population: { users: 4 }
load: { plain: { do: store.plain, executor: closed, in_flight: 1 } }
phases: [{ name: steady, duration: 4s }]
`;
  expect(read({ faults: [kill] }, store)).toMatch(/they need a server/);
});
