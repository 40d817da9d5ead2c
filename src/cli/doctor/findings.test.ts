import { describe, expect, test } from "vitest";
import { configSchema } from "../../server/config/config-schema.ts";
import { cassandraFindings, type CassandraFacts } from "./check-cassandra.ts";
import { openFilesFinding } from "./check-machine.ts";
import { migrationsFinding } from "./check-migrations.ts";
import { postgresFindings } from "./check-postgres.ts";
import { serverFinding } from "./check-server.ts";
import { clockFinding, type Finding } from "./finding.ts";
import { findingsText } from "./print-findings.ts";
import { runChecks } from "./run-checks.ts";

const statesOf = (findings: readonly Finding[]): string => findings.map(({ state }) => state).join(" ");
const sections = Object.fromEntries(
  Object.keys(configSchema.shape).flatMap((name) => (name === "profile" ? [] : [[name, {}]])),
);
const config = configSchema.parse(sections);

describe("open files", () => {
  test.each([
    ["Max open files            1024                 4096                 files", "warn"],
    ["Max open files            1048576              1048576              files", "ok"],
    ["Max open files            unlimited            unlimited            files", "ok"],
    [undefined, "ok"],
  ])("%s → %s", (text, state) => {
    expect(openFilesFinding(text, 20_000).state).toBe(state);
  });
});

describe("postgres", () => {
  const sound = {
    version: "18.0",
    read_only: "off",
    synchronous_commit: "on",
    fsync: "on",
    connections_max: 100,
    now_ms: 1_000,
  };
  test.each([
    [{}, "ok ok"],
    [{ read_only: "on" }, "ok fail ok"],
    [{ fsync: "off" }, "ok fail ok"],
    [{ synchronous_commit: "off" }, "ok fail ok"],
    [{ connections_max: 10 }, "ok warn ok"],
    [{ now_ms: 61_000 }, "ok fail"],
  ])("%j → %s", (wrong, states) => {
    expect(statesOf(postgresFindings({ ...sound, ...wrong }, 900, 1_100, 10))).toBe(states);
  });
});

describe("cassandra", () => {
  const sound: CassandraFacts = {
    version: "5.0.6",
    datacenter: "dc1",
    replication: { class: "NetworkTopologyStrategy", dc1: "3" },
    nodes: 3,
    down: [],
    schemaAgrees: true,
  };
  test.each([
    [{}, "ok"],
    [{ replication: undefined }, "ok"],
    [{ replication: { dc1: "1" } }, "ok warn"],
    [{ replication: { dc2: "3" } }, "ok fail"],
    [{ replication: { dc1: "5" } }, "ok fail"],
    [{ down: ["127.0.0.2:9042"] }, "ok fail"],
    [{ schemaAgrees: false }, "ok fail"],
  ])("%j → %s", (wrong, states) => {
    expect(statesOf(cassandraFindings({ ...sound, ...wrong }, config.cassandra))).toBe(states);
  });

  test("what a node that does not answer means is said, and what mends it", () => {
    const of = (down: readonly string[], nodes = 3) =>
      cassandraFindings({ ...sound, nodes, down }, config.cassandra).find(({ state }) => state === "fail");
    expect(of(["127.0.0.2:9042"])?.message).toMatch(/^127\.0\.0\.2:9042 does not answer; messages go on/);
    expect(of(["127.0.0.2:9042"])?.fix).toContain("msgr stack up");
    expect(of(["a:1", "b:1"])?.message).toMatch(/^a:1, b:1 do not answer; messages are refused/);
    // Whose copies are lost is not known here.
    expect(of(["a:1"], 6)?.message).toBe("a:1 does not answer");
  });
});

test("migrations: none pending is fine, pending and newer ones are not", () => {
  expect(migrationsFinding({ cql: [], sql: [], newer: [] }).state).toBe("ok");
  expect(migrationsFinding({ cql: ["0001_a"], sql: [], newer: [] }).fix).toContain("msgr migrate up");
  expect(migrationsFinding({ cql: [], sql: ["0001_a"], newer: ["sql/0009_z"] }).message).toContain("sql/0009_z");
});

test("a server that is not there is told apart from one that is not msgr", async () => {
  const free = () => Promise.resolve(true);
  const taken = () => Promise.resolve(false);
  expect((await serverFinding("http://a", 401, taken)).state).toBe("ok");
  expect((await serverFinding("http://a", 400, taken)).state).toBe("fail");
  expect((await serverFinding("http://a", "ECONNREFUSED", free)).state).toBe("warn");
  expect((await serverFinding("http://a", "ECONNRESET", taken)).state).toBe("fail");
});

test("a clock is judged by how far it is outside of the time in which it was read", () => {
  expect(clockFinding("x", 105, 100, 110).state).toBe("ok");
  expect(clockFinding("x", 4_000, 100, 110).state).toBe("ok");
  expect(clockFinding("x", 65_110, 100, 110).message).toBe("its clock is 65 s ahead of this machine's");
  expect(clockFinding("x", 100 - 65_000, 100, 110).message).toBe("its clock is 65 s behind this machine's");
});

test("a check that breaks is a finding, and the others go on", async () => {
  const findings = await runChecks(
    [
      { name: "a", run: () => Promise.reject(new Error("boom")) },
      { name: "b", run: () => Promise.resolve([{ check: "b", state: "ok", message: "fine" }]) },
    ],
    { config, nowMs: () => 0 },
  );
  expect(statesOf(findings)).toBe("fail ok");
  expect(findings[0]?.message).toContain("boom");
});

test("what mends a finding stands below it", () => {
  const findings: Finding[] = [
    { check: "a", state: "ok", message: "fine" },
    { check: "long", state: "fail", message: "bad", fix: "mend" },
  ];
  expect(findingsText(findings, (_style, text) => text)).toBe("ok    a     fine\nfail  long  bad\n            → mend");
});
