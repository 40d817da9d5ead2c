import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { resultSchema } from "../../src/bench/report/result.ts";
import { present } from "../../src/base/assert.ts";
import { childrenOf, isAlive, startBench } from "../helpers/bench-process.ts";
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
    const { code, stdout, stderr, result, leftovers } = await startBench(folder.path, small, ["--json"]).ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
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
    const { code, result, stderr } = await startBench(folder.path, small, ["--workers", "2"]).ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(result?.workers).toBe(2);
    expect(result?.workloads.find(({ name }) => name === "direct")?.asked).toBe(120);
    expect(result?.ledger).toMatchObject({ ok: true, undecided: 0, devicesAbsent: 0 });
  });

  it("prints the summary of an earlier run again", async () => {
    using folder = temporaryFolder();
    const scenario = talk("20/s", noLimits);
    const first = await startBench(folder.path, scenario, ["--out", path.join(folder.path, "results", "one.json")])
      .ended;
    expect(first).toMatchObject({ code: 0 });
    const again = await runCli(["bench", "report", path.join(folder.path, "results", "one.json")]);
    expect(again.code).toBe(0);
    const withoutPlace = first.stdout.split("\n").filter((line) => !line.startsWith("result "));
    expect(again.stdout.trim().split("\n")).toEqual(withoutPlace.join("\n").trim().split("\n"));
  });

  it("exits with 2 for a scenario with mistakes, and says where they are", async () => {
    using folder = temporaryFolder();
    const scenario = talk("20/s", noLimits).replace("contacts: 2", "contact: 2");
    const { code, stderr, result } = await startBench(folder.path, scenario).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/scenario\.yaml:4:25 unknown key "contact" .*did you mean "contacts"\?/);
    expect(result).toBeUndefined();
  });

  it("exits with 7 when a threshold is missed", async () => {
    using folder = temporaryFolder();
    const missed = `thresholds: [{ metric: "response{workload:direct}", p50: "< 1us" }]`;
    const { code, stdout, result } = await startBench(folder.path, talk("20/s", `${noLimits}\n${missed}`)).ended;
    expect(code).toBe(7);
    expect(stdout).toContain("missed: response{workload:direct} p50 < 1us, was ");
    expect(result?.exitCode).toBe(7);
  });

  it("exits with 8 when the generator could not do what was asked", async () => {
    using folder = temporaryFolder();
    const limits = "limits: { in_flight: 5, generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m }";
    const { code, stdout, result } = await startBench(folder.path, talk("20k/s", limits)).ended;
    expect(code).toBe(8);
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
    const { code, stdout, stderr, result } = await startBench(folder.path, talk("40/s", noLimits), words).ended;
    expect({ lies: proxy.lies(), stderr }).toMatchObject({ lies: 1 });
    expect({ code, stdout }).toMatchObject({ code: 9 });
    expect(result?.ledger.faults.counts.acked_not_in_log).toBe(1);
    expect(stdout).toContain("acked_not_in_log");
  });

  it("ends the load at Ctrl-C, and still reports", async () => {
    using folder = temporaryFolder();
    const scenario = talk("40/s", noLimits).replace("duration: 2s", "duration: 60s");
    const bench = startBench(folder.path, scenario);
    await bench.says(/^2s\/1m/m);
    bench.process.kill("SIGINT");
    const { code, stdout, result, leftovers } = await bench.ended;
    expect({ code, stderr: bench.stderr() }).toMatchObject({ code: 130 });
    expect(result).toMatchObject({ interrupted: true, exitCode: 130 });
    expect(result?.recordedMs).toBeLessThan(20_000);
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
      await bench.says(/^2s\/1m/m);
      const server = childrenOf(bench.pid).find(({ command }) => command.includes(" serve "));
      // 0 would be this process and all of its group.
      process.kill(present(server, "the server under test").pid, "SIGKILL");
      const { code, stdout, stderr, result, leftovers } = await bench.ended;
      expect({ code, stderr }).toMatchObject({ code: 4 });
      expect(result?.server.died).toBe("SIGKILL");
      expect(result?.ledger).toMatchObject({ ok: true, conversationsUnscanned: 0 });
      expect(result?.ledger.acked).toBeGreaterThan(100);
      expect(stdout).toContain("it died (SIGKILL)");
      expect(leftovers).toEqual([]);
    });

    it("takes its server and its workers along when it is killed", async () => {
      using folder = temporaryFolder();
      const bench = startBench(folder.path, talk("40/s", noLimits).replace("duration: 2s", "duration: 60s"));
      await bench.says(/^1(?:000m)?s\/1m/m);
      const children = childrenOf(bench.pid).map(({ pid }) => pid);
      expect(children).toHaveLength(2);
      bench.process.kill("SIGKILL");
      await bench.ended;
      for (let waited = 0; waited < 10_000 && children.some(isAlive); waited += 50) await sleep(50);
      expect(children.filter(isAlive)).toEqual([]);
    });
  });
});
