import { appendFileSync, chmodSync, chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "../../src/base/assert.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Config } from "../../src/server/config/config-schema.ts";
import { kafkaSettings } from "../../src/server/store-options.ts";
import { inspectKafka } from "../../src/stores/kafka/inspect.ts";
import type { KafkaSettings } from "../../src/stores/kafka/settings.ts";
import { connectPostgresAdmin } from "../../src/stores/postgres/connect-admin.ts";
import { api } from "../helpers/api.ts";
import { expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { startCassandra, type CassandraProcess } from "../helpers/cassandra-process.ts";
import { hasOpenssl, keystorePassword, makeCertificates, type Certificates } from "../helpers/certificates.ts";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { freePort } from "../helpers/free-port.ts";
import { freshBytes, locate, uploadAll } from "../helpers/media.ts";
import { messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { startRedis, type RedisServer } from "../helpers/redis-server.ts";
import { kafkaUser, startSecuredKafka, type SecuredKafka } from "../helpers/secured-kafka.ts";
import { runCli, startServer, temporaryFolder, type TestUser } from "../helpers/server-process.ts";
import { ownStack, type OwnStack } from "../helpers/stack-command.ts";
import { startTlsProxy, type TlsProxy } from "../helpers/tls-proxy.ts";

const startWithinMs = 300_000;
const testWithinMs = 240_000;

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly message: string;
  readonly fix?: string;
}

const stores = ["cassandra", "postgres", "redis", "s3", "kafka"] as const;
type Store = (typeof stores)[number];

const onStores = `version: 1
name: stores
description: Cassandra and Redis without a server.
target: { mode: store }
population: { users: 10 }
load:
  append: { do: store.append, executor: closed, in_flight: 2 }
  beat: { do: presence.heartbeat, executor: closed, in_flight: 2 }
phases: [{ name: steady, duration: 1s }, { name: drain, duration: 20s }]
limits: { generator_cpu: 100%, event_loop_lag_p99: 1m }
`;

const portOf = (address: string): number => Number(/:(\d+)/.exec(address.replace("://", ""))?.[1]);

async function doctor(env: Record<string, string>): Promise<{
  readonly code: number | null;
  readonly said: string;
  readonly failures: (store: Store) => readonly Finding[];
}> {
  const { code, stdout, stderr } = await runCli(["doctor", "--json"], { env });
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  const failures = (store: Store): readonly Finding[] =>
    findings.filter(({ check, state }) => check === store && state === "fail");
  return { code, said: `${stdout}${stderr}`, failures };
}

// Needs openssl, to make certificates.
describe.skipIf(!hasOpenssl)("TLS", () => {
  describeOn(stores, "to every store, vouched for by an authority of their own,", () => {
    const folder = temporaryFolder();
    const passwordFile = path.join(folder.path, "kafka-password");
    /** In the clear. */
    const plain = realStoreConfig();
    let certificates: Certificates;
    let stack: OwnStack;
    let cassandra: CassandraProcess;
    let kafka: SecuredKafka;
    let redis: RedisServer;
    let s3: TlsProxy;
    /** With a certificate for another name. */
    let elsewhere: TlsProxy;
    let config: Config;

    beforeAll(async () => {
      certificates = makeCertificates(folder.path);
      writeFileSync(passwordFile, `${kafkaUser.password}\n`);
      stack = ownStack(path.join(folder.path, "stack"), ["postgres"]);
      const redisPort = await freePort();
      [cassandra, kafka, redis, s3, elsewhere] = await Promise.all([
        startCassandra({
          client_encryption_options: {
            enabled: true,
            optional: false,
            keystore: certificates.keystore,
            keystore_password: keystorePassword,
            store_type: "PKCS12",
          },
        }),
        startSecuredKafka(certificates),
        startSecuredRedis(redisPort, certificates),
        startTlsProxy(certificates, portOf(plain.s3.endpoint)),
        startTlsProxy(certificates.elsewhere, portOf(plain.s3.endpoint)),
        stack.up(),
      ]);
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
        "cassandra.contact_points": cassandra.contactPoints.replace("127.0.0.1", "localhost"),
        "cassandra.tls": true,
        "cassandra.replication_factor": 1,
        "cassandra.timeout_ms": 20_000,
        "s3.endpoint": `https://localhost:${s3.port}`,
        // The first of them is nobody.
        "kafka.brokers": `localhost:1,${kafka.brokers.SASL_SSL}`,
        "kafka.tls": true,
        "kafka.username": kafkaUser.username,
        "kafka.password_file": passwordFile,
        "kafka.timeout_ms": 20_000,
      });
      // This process uploads and downloads as a client does.
      setDefaultCACertificates([...getCACertificates("default"), readFileSync(certificates.authority, "utf8")]);
    }, startWithinMs);

    afterAll(async () => {
      const started = [cassandra, kafka, redis, s3, elsewhere, stack];
      await Promise.all(started.map((each) => each?.[Symbol.asyncDispose]()));
      folder[Symbol.dispose]();
    }, startWithinMs);

    function environment(authorities: string | undefined, more: Record<string, string> = {}): Record<string, string> {
      const trust = authorities === undefined ? {} : { MSGR_TLS__CA_FILE: authorities };
      return { ...variablesOf(config), MSGR_PROFILE: "cluster", ...trust, ...more };
    }

    test(
      "an authority that nobody named is one message with the setting, and exit 3; doctor finds it",
      async () => {
        const env = environment(undefined);
        for (const kind of ["sql", "cql"]) {
          await eventually(async () => {
            const { code, stderr } = await runCli(["migrate", "up", "--only", kind], { env });
            expect([code, stderr]).toEqual([3, expect.stringContaining("certificate that is not trusted")]);
            expect(stderr).toContain("tls.ca_file");
            expect(stderr).not.toMatch(/ {4}at |WARNING/i);
          });
        }
        const served = await runCli(["serve", "--port", "0"], { env });
        expect([served.code, served.stderr]).toEqual([3, expect.stringContaining("tls.ca_file")]);
        const { code, failures } = await doctor(env);
        expect(code).toBe(5);
        for (const store of stores) {
          expect([store, failures(store)]).toMatchObject([store, [{ fix: expect.stringContaining("tls.ca_file") }]]);
        }
      },
      testWithinMs,
    );

    test(
      "a certificate for another name is not taken, and said with both names",
      async () => {
        const there = `localhost:${elsewhere.port}`;
        const env = environment(certificates.authority, {
          MSGR_CASSANDRA__CONTACT_POINTS: there,
          MSGR_KAFKA__BROKERS: there,
          MSGR_REDIS__URL: `rediss://${there}`,
          MSGR_S3__ENDPOINT: `https://${there}`,
        });
        const { code, failures } = await doctor(env);
        expect(code).toBe(5);
        for (const store of ["cassandra", "redis", "kafka", "s3"] as const) {
          const found = {
            message: expect.stringContaining("not trusted"),
            fix: expect.stringContaining("a name that"),
          };
          expect([store, failures(store)]).toMatchObject([store, [found]]);
        }
        for (const store of ["cassandra", "redis", "kafka"] as const) {
          expect(failures(store)[0]?.message).toContain("elsewhere.example");
        }
        const migrated = await runCli(["migrate", "up", "--only", "cql"], { env });
        expect([migrated.code, migrated.stderr]).toEqual([3, expect.stringContaining("elsewhere.example")]);
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
      "where there is none is said with the setting that mends it, and so is none where it has to be",
      async () => {
        const noTls = environment(certificates.authority, {
          ...variablesOf(plain),
          MSGR_CASSANDRA__TLS: "true",
          MSGR_KAFKA__TLS: "true",
          MSGR_POSTGRES__URL: `${plain.postgres.url}?sslmode=require`,
          MSGR_REDIS__URL: plain.redis.url.replace("redis:", "rediss:"),
          MSGR_S3__ENDPOINT: plain.s3.endpoint.replace("http:", "https:"),
        });
        const tls = environment(certificates.authority, {
          MSGR_CASSANDRA__TLS: "false",
          MSGR_KAFKA__TLS: "false",
          MSGR_REDIS__URL: config.redis.url.replace("rediss:", "redis:"),
          MSGR_S3__ENDPOINT: config.s3.endpoint.replace("https:", "http:"),
        });
        const settings = ["cassandra.tls", "postgres.url", "redis.url", "s3.endpoint", "kafka.tls"];
        const [wanted, unwanted] = await Promise.all([doctor(noTls), doctor(tls)]);
        expect([wanted.code, unwanted.code]).toEqual([5, 5]);
        for (const [index, store] of stores.entries()) {
          const fix = expect.stringContaining(settings[index] ?? "") as string;
          const message = (words: string) => expect.stringContaining(words) as string;
          const asked = [{ message: message("does not speak TLS"), fix }];
          expect([store, wanted.failures(store)]).toMatchObject([store, asked]);
          if (store === "postgres") continue;
          expect([store, unwanted.failures(store)]).toMatchObject([store, [{ message: message("speaks TLS"), fix }]]);
        }
        const { url, password = "" } = config.postgres;
        for (const env of [noTls, tls]) {
          const settled = { ...env, MSGR_POSTGRES__URL: url, MSGR_POSTGRES__PASSWORD: password };
          const mistake = expect.stringMatching(/Cassandra on \S+ (?:speaks|does not speak) TLS/) as string;
          for (const words of [
            ["serve", "--port", "0"],
            ["migrate", "up", "--only", "cql"],
          ]) {
            const { code, stderr } = await runCli(words, { env: settled });
            expect([words, code, stderr]).toEqual([words, 3, mistake]);
            expect(stderr).toContain("cassandra.tls");
          }
        }
      },
      testWithinMs,
    );

    test(
      "beside it, a log-in to Kafka by any mechanism, and one word for each that fails",
      async () => {
        const { password } = kafkaUser;
        const listener = (name: "PLAINTEXT" | "SASL_PLAINTEXT", over: Partial<KafkaSettings>) =>
          inspectKafka({ ...kafkaSettings(config), tls: false, brokers: kafka.brokers[name], password, ...over });
        for (const saslMechanism of ["plain", "scram-sha-512"] as const) {
          expect(await listener("SASL_PLAINTEXT", { saslMechanism })).toEqual({ objection: undefined, warnings: [] });
          const { objection } = await listener("SASL_PLAINTEXT", { saslMechanism, password: "wrong" });
          expect([saslMechanism, objection?.kind, objection?.fix]).toEqual([
            saslMechanism,
            "wrong_password",
            expect.stringContaining("kafka.password"),
          ]);
          expect(`${objection?.message} ${objection?.fix}`).not.toMatch(/wrong"/);
        }
        const refused = [
          [await listener("SASL_PLAINTEXT", { saslMechanism: "scram-sha-256" }), "kafka.sasl_mechanism"],
          [await listener("SASL_PLAINTEXT", { username: "" }), "kafka.username"],
          [await listener("PLAINTEXT", {}), "kafka.username"],
        ] as const;
        for (const [{ objection }, setting] of refused) {
          expect([objection?.kind, objection?.fix]).toEqual(["wrong_password", expect.stringContaining(setting)]);
        }
      },
      testWithinMs,
    );

    test(
      "with it everything works, and nothing goes in the clear",
      async () => {
        const env = environment(certificates.authority);
        const up = await runCli(["migrate", "up"], { env });
        expect([up.code, up.stderr]).toEqual([0, expect.not.stringMatching(/warning/i)]);
        const { code, said } = await doctor(env);
        expect([code, said]).toEqual([0, expect.not.stringContaining(kafkaUser.password)]);
        const shown = await runCli(["config", "show", "--json"], { env });
        expect([shown.code, shown.stdout]).toEqual([0, expect.not.stringContaining(kafkaUser.password)]);

        await using server = await startServer(path.join(folder.path, "data"), { variables: env });
        const users = await server.createUsers(limits.membersDirectFanOutMax + 1);
        const [alice, bob] = users as [TestUser, TestUser];
        await using sender = await RawClient.greet(server.wsUrl, alice);
        expect(await sender.ask(messageTo(bob.userId, "hello", 0))).toMatchObject({ type: "ACK", seq: 1 });
        const bytes = freshBytes(10_000);
        const media = await fetch(await locate(server, alice.token, await uploadAll(server, alice.token, bytes)));
        expect(Buffer.compare(Buffer.from(await media.arrayBuffer()), bytes)).toBe(0);

        await using reader = await RawClient.greet(server.wsUrl, bob);
        const groupId = newMessageId();
        const user_ids = users.slice(1).map(({ userId }) => userId);
        const body = { group_id: groupId, message_id: newMessageId(), name: "many", user_ids };
        const made = await api(server, "POST /api/groups", { token: alice.token, body });
        expect(made.status).toBe(201);
        const toGroup = { ...messageTo(bob.userId, "to all", 1), to: { conversation: groupId } };
        expect(await sender.ask(toGroup)).toMatchObject({ type: "ACK", seq: 2 });
        const isRow = ({ type, conversation_id, seq }: Frame): boolean =>
          type === "NEW_MESSAGE" && conversation_id === groupId && seq === 2;
        await reader.expect(isRow, limits.fanOutCeilingMs);

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

    test(
      "load workers of msgr bench write to the stores through it too",
      async () => {
        using bench = temporaryFolder();
        const end = await startBench(bench.path, onStores, [], environment(certificates.authority)).ended;
        expectBenchExit(end, 0);
        const { ledger, workloads } = present(end.result, "result");
        expect(ledger).toMatchObject({ ok: true, undecided: 0 });
        expect(workloads.map(({ name, succeeded }) => [name, succeeded > 0])).toEqual([
          ["append", true],
          ["beat", true],
        ]);
      },
      testWithinMs,
    );

    test(
      "a Kafka that does not let a server in leaves it everything but large groups, and its log says why",
      async () => {
        const wrong = "a-wrong-kafka-password";
        const { MSGR_KAFKA__PASSWORD_FILE: _, ...env } = environment(certificates.authority);
        const variables = { ...env, MSGR_KAFKA__PASSWORD: wrong };
        await using server = await startServer(path.join(folder.path, "wrong"), { variables });
        const [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
        await using sender = await RawClient.greet(server.wsUrl, alice);
        expect(await sender.ask(messageTo(bob.userId, "hello", 0))).toMatchObject({ type: "ACK", seq: 1 });
        expect(server.stderr()).toContain("Kafka cannot be used");
        expect(server.stderr()).toContain("kafka.password");
        expect(server.stderr()).not.toContain(wrong);
        const { code, said, failures } = await doctor(variables);
        expect([code, failures("kafka").length]).toEqual([5, 1]);
        expect(said).not.toContain(wrong);
      },
      testWithinMs,
    );
  });
});

function startSecuredRedis(port: number, { certificate, key }: Certificates): Promise<RedisServer> {
  const words = ["--tls-port", String(port), "--tls-cert-file", certificate, "--tls-key-file", key];
  return startRedis(...words, "--tls-auth-clients", "no");
}

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
