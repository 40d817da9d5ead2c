import { expect, test } from "vitest";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { runCli, temporaryFolder } from "../helpers/server-process.ts";

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly message: string;
  readonly fix?: string;
}

async function doctor(words: readonly string[], env: Record<string, string>) {
  const { code, stdout } = await runCli([...words, "--json"], { env });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: readonly Finding[] };
  return { code, ok, findings, of: (check: string) => findings.filter((finding) => finding.check === check) };
}

test("doctor looks at the embedded profile without any store", async () => {
  using folder = temporaryFolder();
  const found = await doctor(["doctor", "--set", `data.directory=${folder.path}/data`, "--set", "http.port=1"], {});
  expect(found.of("data")).toMatchObject([{ state: "ok" }]);
  expect(found.findings.map(({ check }) => check)).toEqual(["node", "open files", "data", "server"]);
});

describeOn(
  ["cassandra", "postgres", "redis", "s3", "kafka"],
  "doctor and config check --online on the real stores",
  () => {
    const stores = ownClusterServers();

    test("find nothing to mend where there is nothing", { timeout: 240_000 }, async () => {
      const server = await stores.start();
      const env = { ...stores.variables, MSGR_CLIENT__SERVER_URL: server.url };
      const found = await doctor(["doctor", "--profile", "cluster"], env);
      expect(found.findings.filter(({ state }) => state === "fail")).toEqual([]);
      expect([found.code, found.ok]).toEqual([0, true]);
      for (const check of ["postgres", "redis", "s3", "kafka", "migrations", "server"]) {
        expect(found.of(check).every(({ state }) => state === "ok")).toBe(true);
      }
      const checked = await doctor(["config", "check", "--online", "--set", "profile=cluster"], env);
      expect([checked.code, checked.ok]).toEqual([0, true]);
    });

    test.each([
      ["postgres.password=wrong", "postgres"],
      ["postgres.url=postgres://msgr@127.0.0.1:1/msgr", "postgres"],
      ["redis.url=redis://127.0.0.1:1", "redis"],
      ["cassandra.contact_points=127.0.0.1:1", "cassandra"],
      ["cassandra.keyspace=not_there", "migrations"],
      ["s3.bucket=not-there", "s3"],
      ["s3.secret_access_key=wrong", "s3"],
    ])("with %s they name %s and what mends it", { timeout: 240_000 }, async (setting, check) => {
      const words = ["config", "check", "--online", "--set", "profile=cluster", "--set", setting];
      const found = await doctor(words, stores.variables);
      const wrong = found.of(check).filter(({ state }) => state === "fail");
      expect(wrong).not.toEqual([]);
      expect(wrong.every(({ fix }) => fix !== undefined && fix.length > 0)).toBe(true);
      expect([found.code, found.ok]).toEqual([5, false]);
    });
  },
);
