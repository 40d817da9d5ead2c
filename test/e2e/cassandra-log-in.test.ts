import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Config } from "../../src/server/config/config-schema.ts";
import { connectCassandraAdmin } from "../../src/stores/cassandra/connect-admin.ts";
import { startCassandra, type CassandraProcess } from "../helpers/cassandra-process.ts";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { dropPostgres, preparePostgres } from "../helpers/migrated-stores.ts";
import { messageTo, RawClient } from "../helpers/raw-client.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { runCli, startServer, temporaryFolder, type TestUser } from "../helpers/server-process.ts";

const startWithinMs = 300_000;
const testWithinMs = 180_000;

/** Users whom `msgr` knows by password: one who may everything, one who may only read. */
const own = { username: "msgr_owner", password: "right-password" };
const reader = { username: "msgr_reader", password: "reader-password" };

describeOn(["cassandra", "postgres", "redis", "s3"], "a Cassandra that asks for a log-in", () => {
  const folder = temporaryFolder();
  let cassandra: CassandraProcess;
  let config: Config;

  beforeAll(async () => {
    cassandra = await startCassandra({
      authenticator: { class_name: "org.apache.cassandra.auth.PasswordAuthenticator" },
      authorizer: { class_name: "org.apache.cassandra.auth.CassandraAuthorizer" },
    });
    config = realStoreConfig({
      "cassandra.contact_points": cassandra.contactPoints,
      "cassandra.replication_factor": 1,
      "cassandra.username": own.username,
    });
    await Promise.all([makeUsers(), preparePostgres(config)]);
  }, startWithinMs);

  afterAll(async () => {
    await Promise.all([cassandra?.[Symbol.asyncDispose](), dropPostgres(config)]);
    folder[Symbol.dispose]();
  }, startWithinMs);

  /** The first user of all is made a while after the node takes connections. */
  async function makeUsers(): Promise<void> {
    const connect = () =>
      connectCassandraAdmin({
        contactPoints: cassandra.contactPoints,
        datacenter: "dc1",
        tls: false,
        username: "cassandra",
        password: "cassandra",
        timeoutMs: 10_000,
        statementTimeoutMs: 30_000,
      });
    const admin = await vi.waitFor(connect, { timeout: 120_000, interval: 500 });
    await admin.execute(
      `CREATE ROLE ${own.username} WITH PASSWORD = '${own.password}' AND LOGIN = true AND SUPERUSER = true`,
    );
    await admin.execute(`CREATE ROLE ${reader.username} WITH PASSWORD = '${reader.password}' AND LOGIN = true`);
    await admin.execute(`GRANT SELECT ON ALL KEYSPACES TO ${reader.username}`);
    await admin.close();
  }

  /** The right password comes from a file, as in a deployment. */
  function environment(more: Readonly<Record<string, string>>): Record<string, string> {
    return { ...variablesOf(config), MSGR_PROFILE: "cluster", ...more };
  }
  function fileOf(name: string, password: string): string {
    const file = path.join(folder.path, name);
    writeFileSync(file, `${password}\n`);
    chmodSync(file, 0o600);
    return file;
  }

  const commands = [
    ["migrate", "up"],
    ["serve", "--port", "0"],
    ["migrate", "status"],
  ];

  test(
    "a wrong password, or none, is one message with the user and the setting, and exit 3",
    async () => {
      for (const more of [{ MSGR_CASSANDRA__PASSWORD: "wrong-password" }, { MSGR_CASSANDRA__PASSWORD: "" }]) {
        for (const words of commands) {
          const { code, stderr } = await runCli(words, { env: environment(more) });
          expect([words, code, stderr]).toEqual([
            words,
            3,
            expect.stringContaining(`does not let user ${own.username} in`),
          ]);
          expect(stderr).toContain("cassandra.password");
          expect(stderr).not.toMatch(/wrong-password| {4}at /);
        }
      }
      const nobody = await runCli(["migrate", "up"], { env: environment({ MSGR_CASSANDRA__USERNAME: "" }) });
      expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining("cassandra.username")]);
    },
    testWithinMs,
  );

  test(
    "doctor finds it",
    async () => {
      const env = environment({ MSGR_CASSANDRA__PASSWORD: "wrong-password" });
      const { code, stdout } = await runCli(["doctor", "--json"], { env });
      const { findings } = JSON.parse(stdout) as {
        findings: { check: string; state: string; message: string; fix?: string }[];
      };
      expect(code).toBe(5);
      expect(findings.filter(({ check }) => check === "cassandra")).toEqual([
        {
          check: "cassandra",
          state: "fail",
          message: expect.stringContaining(`does not let user ${own.username} in`) as string,
          fix: expect.stringContaining("cassandra.password") as string,
        },
      ]);
      expect(stdout).not.toContain("wrong-password");
    },
    testWithinMs,
  );

  test(
    "with the right one everything works, and who may only read is told so",
    async () => {
      const right = { MSGR_CASSANDRA__PASSWORD_FILE: fileOf("right", own.password) };
      const up = await runCli(["migrate", "up"], { env: environment(right) });
      expect([up.code, up.stderr]).toEqual([0, expect.any(String)]);
      await using server = await startServer(path.join(folder.path, "data"), { variables: environment(right) });
      const [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
      await using sender = await RawClient.greet(server.wsUrl, alice);
      expect(await sender.ask(messageTo(bob.userId, "hello", 0))).toMatchObject({ type: "ACK", seq: 1 });
      const { stdout } = await runCli(["doctor", "--json"], { env: environment(right) });
      const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] };
      expect(findings.filter(({ check, state }) => check === "cassandra" && state === "fail")).toEqual([]);

      const reading = {
        MSGR_CASSANDRA__USERNAME: reader.username,
        MSGR_CASSANDRA__PASSWORD_FILE: fileOf("reader", reader.password),
        MSGR_CASSANDRA__KEYSPACE: "not_there_yet",
      };
      const refused = await runCli(["migrate", "up", "--only", "cql"], { env: environment(reading) });
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("does not allow it")]);
      expect(refused.stderr).toContain("cassandra.username");
    },
    testWithinMs,
  );
});
