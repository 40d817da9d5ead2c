import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { present } from "../../src/base/assert.ts";
import { type BenchEnd, expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

/** The shipped smoke as it is, struck from the command line. Tests share their cores, so its speed says nothing here. */
const smoke = readFileSync(path.resolve(import.meta.dirname, "../../scenarios/smoke.yaml"), "utf8");
const noLimits = "limits={generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0%}";

/** Nothing was lost, doubled or reordered, every device is back and was looked at, and the fault took place. */
function expectClean(end: BenchEnd, struck: readonly string[]): void {
  expectBenchExit(end, 0);
  const { result, leftovers } = end;
  const { ledger, faults = [] } = present(result, "result");
  expect(ledger.faults).toEqual({ counts: {}, cases: [] });
  expect(ledger).toMatchObject({ ok: true, undecided: 0, conversationsUnscanned: 0, devicesAbsent: 0 });
  expect(ledger.acked).toBe(ledger.sent);
  expect(faults.map(({ do: kind, which, endMs = 0 }) => (endMs > 0 ? `${kind} ${which}` : "not done"))).toEqual(struck);
  expect(leftovers).toEqual([]);
}

it("smoke while its server is killed: a clean ledger", { timeout: 120_000 }, async () => {
  using folder = temporaryFolder();
  const words = ["--set", noLimits, "--fault", "server.kill which=server-1 at=1s for=500ms"];
  expectClean(await startBench(folder.path, smoke, words).ended, ["server.kill server-1"]);
});

it("a fault that makes no sense: exit 2, with its place", async () => {
  using folder = temporaryFolder();
  const words = ["--fault", "server.kill which=server-2 at=1s for=1s"];
  const end = await startBench(folder.path, smoke, words).ended;
  expectBenchExit(end, 2);
  const { stderr, result } = end;
  expect(stderr).toContain('for=1s:1:19 faults[0]: server.kill cannot strike "server-2" (server-1)');
  expect(result).toBeUndefined();
});

describeOn(["cassandra", "postgres", "redis", "s3"], "two servers on stores of the run's own", () => {
  it("smoke while one of the servers and then Redis is killed: a clean ledger", { timeout: 300_000 }, async () => {
    using folder = temporaryFolder();
    const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
    const java = process.env["JAVA_HOME"];
    const variables = { XDG_CACHE_HOME: cache, ...(java === undefined ? {} : { JAVA_HOME: java }) };
    const faults = ["server.kill which=server-2 at=1s for=500ms", "store.kill which=redis at=2s for=500ms"];
    const words = ["--profile", "cluster", "--servers", "2", "--set", noLimits];
    for (const fault of faults) words.push("--fault", fault);
    const end = await startBench(folder.path, smoke, words, variables).ended;
    expectClean(end, ["server.kill server-2", "store.kill redis"]);
  });
});
