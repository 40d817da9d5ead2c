import path from "node:path";
import { describe, expect, it } from "vitest";
import { resultSchema } from "../../src/bench/report/result.ts";
import { present } from "../../src/base/assert.ts";
import { childrenOf, expectBenchExit, isAlive, startBench } from "../helpers/bench-process.ts";
import { eventually } from "../helpers/eventually.ts";
import { expectExit } from "../helpers/expect-exit.ts";
import { startForgingProxy } from "../helpers/forging-proxy.ts";
import { runCli, startServer, temporaryFolder } from "../helpers/server-process.ts";

/** Everything briefly; the limits are off, since tests share their cores. */
const small = `version: 1
name: small
description: Every operation for three seconds.
population: { users: 8, devices: 2, contacts: 2, history: 5, groups: [{ members: 4, count: 1, history: 3 }] }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 40/s }
  group: { do: group.send, executor: constant-arrival-rate, rate: 5/s, members: 4 }
  read: { do: receipts, executor: constant-arrival-rate, rate: 10/s }
  beat: { do: presence.heartbeat, executor: per-user-period, period: 1s }
  reconnect: { do: session.connect, executor: constant-arrival-rate, rate: 2/s }
  offline: { do: session.sync, executor: constant-arrival-rate, rate: 2/s, away: 500ms }
  pages: { do: history.page, executor: constant-arrival-rate, rate: 10/s, limit: 3 }
  burst: { do: message.send, executor: closed, in_flight: 4 }
phases: [{ name: steady, duration: 3s }, { name: drain, duration: 20s }]
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }
`;

const talk = (rate: string, rest: string): string => `version: 1
name: talk
description: Direct messages only.
population: { users: 4, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: ${rate} }
phases: [{ name: steady, duration: 2s }, { name: drain, duration: 10s }]
${rest}
`;

const noLimits = "limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }";

describe("msgr bench", () => {
  it("runs every operation, closes the account and leaves nothing behind", async () => {
    using folder = temporaryFolder();
    const end = await startBench(folder.path, small, ["--json"]).ended;
    expectBenchExit(end, 0);
    const { stdout, stderr, result, leftovers } = end;
    expect(resultSchema.parse(JSON.parse(stdout))).toEqual(result);
    expect(result?.ledger).toMatchObject({ ok: true, refused: 0, undecided: 0, devicesAbsent: 0 });
    expect(result?.ledger.conversationsUnscanned).toBe(0);
    // What was written beforehand is in the log as well: 8 direct conversations of 5, one group of 3 and its first row.
    const recorded = (result?.workloads ?? []).filter(({ does }) => does.endsWith(".send"));
    const sent = recorded.reduce((sum, { succeeded }) => sum + succeeded, 0);
    expect(result?.ledger.sent).toBe(sent + 43);
    expect(result?.ledger.logRows).toBe(sent + 44);
    for (const workload of result?.workloads ?? []) {
      const { name, succeeded, errors } = workload;
      expect({ name, works: succeeded > 0, errors }).toEqual({ name, works: true, errors: {} });
    }
    const direct = result?.workloads.find(({ name }) => name === "direct");
    expect(direct?.asked).toBe(120);
    expect(direct?.delivery.each.count).toBeGreaterThan(120);
    expect(stderr).toContain("PASSED");
    expect(leftovers).toEqual([]);
  });

  it("gives the same load to two workers, and the same verdict", async () => {
    using folder = temporaryFolder();
    const end = await startBench(folder.path, small, ["--workers", "2"]).ended;
    expectBenchExit(end, 0);
    const { result } = end;
    expect(result?.workers).toBe(2);
    expect(result?.workloads.find(({ name }) => name === "direct")?.asked).toBe(120);
    expect(result?.ledger).toMatchObject({ ok: true, undecided: 0, devicesAbsent: 0 });
  });

  it("prints the summary of an earlier run again", async () => {
    using folder = temporaryFolder();
    const scenario = talk("20/s", noLimits);
    const first = await startBench(folder.path, scenario, ["--out", path.join(folder.path, "results", "one.json")])
      .ended;
    expectBenchExit(first, 0);
    const again = await runCli(["bench", "report", path.join(folder.path, "results", "one.json")]);
    expectExit(again, 0);
    const withoutPlace = first.stdout.split("\n").filter((line) => !line.startsWith("result "));
    expect(again.stdout.trim().split("\n")).toEqual(withoutPlace.join("\n").trim().split("\n"));
  });

  it("exits with 2 for a scenario with mistakes, and says where they are", async () => {
    using folder = temporaryFolder();
    const scenario = talk("20/s", noLimits).replace("contacts: 2", "contact: 2");
    const end = await startBench(folder.path, scenario).ended;
    expectBenchExit(end, 2);
    const { stderr, result } = end;
    expect(stderr).toMatch(/scenario\.yaml:4:25 unknown key "contact" .*did you mean "contacts"\?/);
    expect(result).toBeUndefined();
  });

  it("exits with 7 when a threshold is missed; keeps the data if asked to, and says where", async () => {
    using folder = temporaryFolder();
    const missed = `thresholds: [{ metric: "response{workload:direct}", p50: "< 1us" }]`;
    const end = await startBench(folder.path, talk("20/s", `${noLimits}\n${missed}`), ["--keep-data"]).ended;
    expectBenchExit(end, 7);
    const { stdout, stderr, result, leftovers } = end;
    expect(leftovers).toEqual([expect.stringContaining("msgr-bench-")]);
    expect(stderr).toContain(`stays in ${path.join(folder.path, "tmp", leftovers[0] ?? "")}`);
    expect(stdout).toContain("missed: response{workload:direct} p50 < 1us, was ");
    expect(result?.exitCode).toBe(7);
  });

  it("exits with 8 when the generator could not do what was asked", async () => {
    using folder = temporaryFolder();
    const limits = "limits: { in_flight: 5, generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m }";
    const end = await startBench(folder.path, talk("20k/s", limits)).ended;
    expectBenchExit(end, 8);
    const { stdout, result } = end;
    expect(stdout).toContain("INVALID");
    expect(result?.generator.capped).toBeGreaterThan(0);
    expect(result?.ledger.ok).toBe(true);
  });

  it("exits with 9 when a message was acked that is not in the log", async () => {
    using folder = temporaryFolder();
    const data = path.join(folder.path, "data");
    await using server = await startServer(data);
    await using proxy = await startForgingProxy(server.url, 30);
    const words = ["--url", proxy.url, "--admin-url", server.adminUrl, "--admin-token-file", `${data}.token`];
    const end = await startBench(folder.path, talk("40/s", noLimits), words).ended;
    const { stdout, stderr, result } = end;
    expect({ lies: proxy.lies(), stderr }).toMatchObject({ lies: 1 });
    expectBenchExit(end, 9);
    expect(result?.ledger.faults.counts.acked_not_in_log).toBe(1);
    expect(stdout).toContain("acked_not_in_log");
  });

  it("ends the load at Ctrl-C, and still reports", async () => {
    using folder = temporaryFolder();
    const scenario = talk("40/s", noLimits).replace("duration: 2s", "duration: 60s");
    const bench = startBench(folder.path, scenario);
    await bench.reaches(2);
    bench.process.kill("SIGINT");
    const end = await bench.ended;
    expectBenchExit(end, 130);
    const { stdout, result, leftovers } = end;
    expect(result).toMatchObject({ interrupted: true, exitCode: 130 });
    expect(result?.recordedMs).toBeLessThan(40_000);
    expect(result?.workloads[0]?.askedPerSecond).toBeGreaterThan(30);
    expect(result?.ledger).toMatchObject({ ok: true, undecided: 0 });
    expect(stdout).toContain("INTERRUPTED");
    expect(leftovers).toEqual([]);
  });

  // Finding the processes of another one needs /proc.
  describe.runIf(process.platform === "linux")("and its processes", () => {
    it("says so when the server dies, and looks up what it kept", async () => {
      using folder = temporaryFolder();
      const bench = startBench(folder.path, talk("200/s", noLimits).replace("duration: 2s", "duration: 60s"));
      await bench.reaches(2);
      const server = childrenOf(bench.pid).find(({ command }) => command.includes(" serve "));
      // 0 would be this process and all of its group.
      process.kill(present(server, "the server under test").pid, "SIGKILL");
      const end = await bench.ended;
      expectBenchExit(end, 4);
      const { stdout, result, leftovers } = end;
      expect(result?.server.died).toBe("SIGKILL");
      expect(result?.ledger).toMatchObject({ ok: true, conversationsUnscanned: 0 });
      expect(result?.ledger.acked).toBeGreaterThan(0);
      expect(stdout).toContain("it died (SIGKILL)");
      expect(leftovers).toEqual([]);
    });

    it("takes its server and its workers along when it is killed", async () => {
      using folder = temporaryFolder();
      const bench = startBench(folder.path, talk("40/s", noLimits).replace("duration: 2s", "duration: 60s"));
      await bench.reaches(1);
      const children = childrenOf(bench.pid).map(({ pid }) => pid);
      expect(children).toHaveLength(2);
      bench.process.kill("SIGKILL");
      await bench.ended;
      await eventually(() => expect(children.filter(isAlive)).toEqual([]));
    });

    it("takes its server along also when it is killed before the load", async () => {
      using folder = temporaryFolder();
      const bench = startBench(folder.path, talk("40/s", noLimits).replace("users: 4,", "users: 20k,"), [
        "--workers",
        "1",
      ]);
      await eventually(() => expect(bench.stderr()).toContain("making 20,000 users"));
      const children = childrenOf(bench.pid).map(({ pid }) => pid);
      expect(children).toHaveLength(2);
      bench.process.kill("SIGKILL");
      await bench.ended;
      expect(bench.stderr()).not.toContain("connecting");
      await eventually(() => expect(children.filter(isAlive)).toEqual([]));
    });
  });
});
