import path from "node:path";
import { describe, expect, it } from "vitest";
import { expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { hasOpenssl, makeCertificates } from "../helpers/certificates.ts";
import { startServer, temporaryFolder } from "../helpers/server-process.ts";
import { startTlsProxy } from "../helpers/tls-proxy.ts";

const scenario = `version: 1
name: talk
description: Direct messages and a group, over two load workers.
population: { users: 4, contacts: 2, groups: [{ members: 4, count: 1 }] }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 20/s }
phases: [{ name: steady, duration: 1s }, { name: drain, duration: 20s }]
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }
`;

// Needs openssl, to make certificates.
describe.skipIf(!hasOpenssl)("msgr bench against a server behind TLS", () => {
  it("believes the authority in tls.ca_file, and no other", async () => {
    using folder = temporaryFolder();
    const data = path.join(folder.path, "data");
    const certificates = makeCertificates(folder.path);
    await using server = await startServer(data);
    await using balancer = await startTlsProxy(certificates, Number(new URL(server.url).port));
    const url = `https://localhost:${balancer.port}`;
    const words = ["--url", url, "--admin-url", server.adminUrl, "--admin-token-file", `${data}.token`];
    words.push("--workers", "2");

    const stranger = await startBench(folder.path, scenario, words).ended;
    expectBenchExit(stranger, 3);
    expect(stranger.stderr).toContain("certificate that is not trusted");
    expect(stranger.stderr).toContain("tls.ca_file");

    const end = await startBench(folder.path, scenario, words, { MSGR_TLS__CA_FILE: certificates.authority }).ended;
    expectBenchExit(end, 0);
    expect(end.result?.workloads[0]?.succeeded).toBe(20);
    expect(end.result?.ledger).toMatchObject({ ok: true, devicesAbsent: 0 });

    const faults = ["--fault", "proxy.latency which=clients at=0s for=1s latency=10ms"];
    const struck = await startBench(folder.path, scenario, [...words, ...faults]).ended;
    expectBenchExit(struck, 2);
    expect(struck.stderr).toContain("certificate");
  });
});
