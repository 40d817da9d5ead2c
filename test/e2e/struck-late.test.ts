import path from "node:path";
import { expect, it } from "vitest";
import { startBench } from "../helpers/bench-process.ts";
import { startForgingProxy } from "../helpers/forging-proxy.ts";
import { startServer, temporaryFolder } from "../helpers/server-process.ts";

const talk = `version: 1
name: late
description: Direct messages for two seconds, whose pushes are late.
population: { users: 4, contacts: 2 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
phases: [{ name: steady, duration: 2s }, { name: drain, duration: 10s }]
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }
`;

it("messages that are acked and pushed seconds after everything fell silent are waited for", async () => {
  using folder = temporaryFolder();
  const data = path.join(folder.path, "data");
  await using server = await startServer(data);
  await using proxy = await startForgingProxy(server.url, 0, 7_000);
  const words = ["--url", proxy.url, "--admin-url", server.adminUrl, "--admin-token-file", `${data}.token`];
  const { code, stdout, result } = await startBench(folder.path, talk, words).ended;
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(result?.ledger).toMatchObject({ ok: true, sent: 20, acked: 20, devicesAbsent: 0 });
});
