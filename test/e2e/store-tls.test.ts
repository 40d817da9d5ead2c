import { appendFileSync, chmodSync, chownSync, copyFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../src/server/config/config-schema.ts";
import { connectPostgresAdmin } from "../../src/stores/postgres/connect-admin.ts";
import { hasOpenssl, makeCertificates, type Certificates } from "../helpers/certificates.ts";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { freePort } from "../helpers/free-port.ts";
import { dropCassandra, prepareCassandra } from "../helpers/migrated-stores.ts";
import { messageTo, RawClient } from "../helpers/raw-client.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { startRedis, type RedisServer } from "../helpers/redis-server.ts";
import { runCli, startServer, temporaryFolder, type TestUser } from "../helpers/server-process.ts";
import { ownStack, type OwnStack } from "../helpers/stack-command.ts";

const startWithinMs = 180_000;
const testWithinMs = 180_000;

// Needs openssl, to make certificates.
describe.skipIf(!hasOpenssl)("TLS", () => {
  describeOn(
    ["cassandra", "postgres", "redis", "s3"],
    "to PostgreSQL and Redis, vouched for by an authority of their own,",
    () => {
      const folder = temporaryFolder();
      let certificates: Certificates;
      let stack: OwnStack;
      let redis: RedisServer;
      let config: Config;

      beforeAll(async () => {
        certificates = makeCertificates(folder.path);
        const { certificate, key } = certificates;
        const redisPort = await freePort();
        const words = ["--tls-port", String(redisPort), "--tls-cert-file", certificate, "--tls-key-file", key];
        redis = await startRedis(...words, "--tls-auth-clients", "no");
        stack = ownStack(path.join(folder.path, "stack"), ["postgres"]);
        await stack.up();
        const { settings, processes } = stack.file();
        beginTls(path.join(stack.directory, "postgres", "data"), certificates);
        process.kill(processes[0]?.pid ?? Number.NaN, "SIGHUP");
        const address = new URL(String(settings["postgres.url"]));
        address.hostname = "localhost";
        address.searchParams.set("sslmode", "require");
        config = realStoreConfig({
          "postgres.url": address.href,
          "postgres.password": String(settings["postgres.password"]),
          "redis.url": `rediss://localhost:${redisPort}`,
        });
        await prepareCassandra(config);
      }, startWithinMs);

      afterAll(async () => {
        await redis?.[Symbol.asyncDispose]();
        await stack?.[Symbol.asyncDispose]();
        await dropCassandra(config);
        folder[Symbol.dispose]();
      }, startWithinMs);

      function environment(authorities: string | undefined): Record<string, string> {
        const trust = authorities === undefined ? {} : { MSGR_TLS__CA_FILE: authorities };
        return { ...variablesOf(config), MSGR_PROFILE: "cluster", ...trust };
      }

      test(
        "an authority that nobody named is one message with the setting, and exit 3; doctor finds it",
        async () => {
          const env = environment(undefined);
          await eventually(async () => {
            const { code, stderr } = await runCli(["migrate", "up", "--only", "sql"], { env });
            expect([code, stderr]).toEqual([3, expect.stringContaining("certificate that is not trusted")]);
            expect(stderr).toContain("tls.ca_file");
            expect(stderr).not.toMatch(/ {4}at |WARNING/i);
          });
          const served = await runCli(["serve", "--port", "0"], { env });
          expect([served.code, served.stderr]).toEqual([3, expect.stringContaining("tls.ca_file")]);
          const { code, stdout } = await runCli(["doctor", "--json"], { env });
          const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; fix?: string }[] };
          expect(code).toBe(5);
          for (const store of ["postgres", "redis"]) {
            const fix = expect.stringContaining("tls.ca_file") as string;
            expect(findings.filter(({ check }) => check === store)).toMatchObject([{ state: "fail", fix }]);
          }
        },
        testWithinMs,
      );

      test(
        "a file without a certificate, and no file, are a wrong configuration",
        async () => {
          const empty = path.join(folder.path, "empty.pem");
          writeFileSync(empty, "nothing\n");
          for (const file of [empty, path.join(folder.path, "not-there.pem")]) {
            const { code, stderr } = await runCli(["migrate", "status"], { env: environment(file) });
            expect([file, code, stderr]).toEqual([file, 3, expect.stringContaining("tls.ca_file cannot be used")]);
          }
        },
        testWithinMs,
      );

      test(
        "with it everything works, and nothing goes in the clear",
        async () => {
          const env = environment(certificates.authority);
          const up = await runCli(["migrate", "up", "--only", "sql"], { env });
          expect([up.code, up.stderr]).toEqual([0, expect.not.stringMatching(/warning/i)]);
          await using server = await startServer(path.join(folder.path, "data"), { variables: env });
          const [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
          await using sender = await RawClient.greet(server.wsUrl, alice);
          expect(await sender.ask(messageTo(bob.userId, "hello", 0))).toMatchObject({ type: "ACK", seq: 1 });
          const { code } = await runCli(["migrate", "status", "--only", "sql"], { env });
          expect(code).toBe(0);

          const inTheClear = new URL(config.postgres.url);
          inTheClear.searchParams.set("sslmode", "disable");
          const { password } = config.postgres;
          const admin = await connectPostgresAdmin({
            url: inTheClear.href,
            password,
            applicationName: "test",
            timeoutMs: 5_000,
          });
          const sessions = await admin.query(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'msgr'",
          );
          expect(sessions).toEqual([{ ssl: true }]);
          await admin.close();
          expect(server.stderr()).toBe("");
        },
        testWithinMs,
      );
    },
  );
});

/** The server reads it at its next SIGHUP, and only if the key is its own and nobody else's. */
function beginTls(data: string, { certificate, key }: Certificates): void {
  const { uid, gid } = statSync(data);
  for (const [from, name] of [
    [certificate, "msgr-test.pem"],
    [key, "msgr-test.key"],
  ] as const) {
    const file = path.join(data, name);
    copyFileSync(from, file);
    chownSync(file, uid, gid);
    chmodSync(file, 0o600);
  }
  const settings = "ssl = on\nssl_cert_file = 'msgr-test.pem'\nssl_key_file = 'msgr-test.key'\n";
  appendFileSync(path.join(data, "postgresql.conf"), settings);
}
