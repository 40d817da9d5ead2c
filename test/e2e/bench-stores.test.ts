import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { present } from "../../src/base/assert.ts";
import { connectCassandraAdmin, type CassandraAdmin } from "../../src/stores/cassandra/connect-admin.ts";
import { environmentName, settings, settingValue, type Config } from "../../src/server/config/config-schema.ts";
import { expectBenchExit, startBench } from "../helpers/bench-process.ts";
import { dropCassandra, dropPostgres, prepareCassandra, preparePostgres } from "../helpers/migrated-stores.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

const noLimits = "limits: { generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0% }";

/** Every operation of a server, briefly. */
const onServer = `version: 1
name: small
description: Every operation for three seconds.
population: { users: 8, devices: 2, contacts: 2, history: 5, groups: [{ members: 4, count: 1, history: 3 }] }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s }
  group: { do: group.send, executor: constant-arrival-rate, rate: 2/s, members: 4 }
  read: { do: receipts, executor: constant-arrival-rate, rate: 5/s }
  beat: { do: presence.heartbeat, executor: per-user-period, period: 1s }
  offline: { do: session.sync, executor: constant-arrival-rate, rate: 1/s, away: 500ms }
  pages: { do: history.page, executor: constant-arrival-rate, rate: 5/s, limit: 3 }
phases: [{ name: steady, duration: 3s }, { name: drain, duration: 30s }]
${noLimits}
`;

/** Every fourth message goes between two devices of the server that lives. */
const oneOfTwoDies = `version: 1
name: one-dies
description: What the others notice when a server dies.
target: { profile: cluster, servers: 2 }
population: { users: 16, contacts: 4 }
load:
  direct: { do: message.send, executor: constant-arrival-rate, rate: 60/s }
faults: [{ at: 6s, do: server.kill, which: server-2, for: 1s }]
phases: [{ name: steady, duration: 20s }, { name: drain, duration: 60s }]
verify: { presence: 0% }
thresholds: [{ metric: bystander_delivery_p99_ratio, max: 1000000% }]
${noLimits}
`;

/** Both clients side by side, and in turns. */
const onCassandra = `version: 1
name: ceilings
description: Every operation on Cassandra.
target: { mode: store }
population: { users: 40, history: 70 }
load:
  append: { do: store.append, executor: closed, in_flight: 4, during: [one, three] }
  append-bare: { do: store.append, client: bare, executor: closed, in_flight: 4, during: two }
  plain: { do: store.plain, executor: closed, in_flight: 2 }
  register: { do: store.register, executor: closed, in_flight: 2 }
  register-bare: { do: store.register, client: bare, executor: closed, in_flight: 2 }
  page: { do: store.page, executor: closed, in_flight: 2, limit: 20 }
  page-bare: { do: store.page, client: bare, executor: closed, in_flight: 2, limit: 20 }
  message: { do: store.message, executor: closed, in_flight: 2 }
  message-bare: { do: store.message, client: bare, executor: closed, in_flight: 2 }
phases: [{ name: one, duration: 1s }, { name: two, duration: 1s }, { name: three, duration: 1s }, { name: drain, duration: 30s }]
${noLimits}
thresholds: [{ metric: error_rate, max: 0 }, { metric: "rate_ratio{workload:append,against:append-bare}", min: 1% }]
`;

const onRedis = (load: string, duration: string): string => `version: 1
name: beats
description: Heartbeats and lookups on Redis.
target: { mode: store }
population: { users: 60 }
load:
${load}
phases: [{ name: steady, duration: ${duration} }, { name: drain, duration: 20s }]
${noLimits}
`;

const everyClient = `
  beat: { do: presence.heartbeat, executor: per-user-period, period: 500ms }
  beat-bare: { do: presence.heartbeat, client: bare, executor: closed, in_flight: 4 }
  beat-raw: { do: presence.heartbeat, client: raw, executor: closed, in_flight: 4 }
  lease: { do: presence.heartbeat, mode: lease, executor: per-user-period, period: 500ms }
  watch: { do: presence.lookup, executor: constant-arrival-rate, rate: 40/s }
  watch-bare: { do: presence.lookup, client: bare, executor: constant-arrival-rate, rate: 40/s }
  watch-lease: { do: presence.lookup, mode: lease, executor: constant-arrival-rate, rate: 40/s }
  set: { do: store.redis-set, client: bare, executor: closed, in_flight: 4 }
  set-raw: { do: store.redis-set, client: raw, executor: closed, in_flight: 4 }
`;

/** A configuration as variables of the environment, secrets included. */
function variablesOf(config: Config): Record<string, string> {
  const entries = settings.flatMap(({ path }) => {
    const value = settingValue(config, path);
    const isText = typeof value === "string" || typeof value === "number";
    return isText && value !== "" && /^(?:cassandra|postgres|redis|s3)\./.test(path)
      ? [[environmentName(path), String(value)] as const]
      : [];
  });
  return Object.fromEntries(entries);
}

describeOn(["cassandra", "postgres", "redis", "s3"], "msgr bench on the real stores", () => {
  // No operation of a scenario may fail for a store that shares its cores with the tests.
  const config = realStoreConfig({
    "cassandra.timeout_ms": 30_000,
    "postgres.timeout_ms": 30_000,
    "redis.timeout_ms": 10_000,
  });
  const variables = variablesOf(config);

  beforeAll(async () => {
    await Promise.all([prepareCassandra(config), preparePostgres(config)]);
  });

  afterAll(async () => {
    await Promise.all([dropCassandra(config), dropPostgres(config), removeKeys(config)]);
  });

  it("runs a scenario unchanged on a server of the cluster profile, and says on which stores", async () => {
    using folder = temporaryFolder();
    const end = await startBench(folder.path, onServer, ["--profile", "cluster"], variables).ended;
    expectBenchExit(end, 0);
    const { result, leftovers } = end;
    expect(result?.server).toMatchObject({ profile: "cluster", target: "cluster, started for this run" });
    expect(result?.stores?.map(({ name }) => name)).toEqual(["cassandra", "postgres", "redis"]);
    expect(result?.ledger).toMatchObject({ ok: true, refused: 0, undecided: 0, conversationsUnscanned: 0 });
    expect(result?.workloads.map(({ succeeded }) => succeeded > 0)).toEqual(Array.from({ length: 6 }, () => true));
    expect(JSON.stringify(result)).not.toContain(config.postgres.password);
    expect(leftovers).toEqual([]);
  });

  it("tells what those notice whose server lives, and what each server holds", { timeout: 180_000 }, async () => {
    using folder = temporaryFolder();
    const { result } = await startBench(folder.path, oneOfTwoDies, [], variables).ended;
    expect(result?.ledger.faults.counts).toEqual({});
    const { before, during, p99Ratio = 0 } = present(result?.bystanders, "bystanders");
    // A quarter of 60 a second, for six seconds and at least five.
    for (const { count } of [before, during]) expect(count).toBeGreaterThan(50);
    expect(before.count).toBeLessThan(180);
    const [demand, ...growth] = ["bystander", "server_"].flatMap((name) =>
      (result?.thresholds ?? []).filter(({ metric }) => metric.startsWith(name)),
    );
    expect(demand).toMatchObject({ actual: p99Ratio, ok: p99Ratio > 0 });
    expect(growth.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(result?.servers?.map(({ processes }) => processes)).toEqual([1, 2]);
    const queues = new Set(result?.servers?.flatMap((server) => server.queues.map(({ queue }) => queue)));
    expect([...queues].sort()).toEqual("bus,cassandra,clients,fan_out_jobs,frames,postgres,redis".split(","));
  });

  it("runs every operation on Cassandra through both clients and reads it back", async () => {
    using folder = temporaryFolder();
    const end = await startBench(folder.path, onCassandra, [], variables).ended;
    expectBenchExit(end, 0);
    const { stdout, result } = end;
    for (const { name, succeeded, errors } of result?.workloads ?? []) {
      expect({ name, works: succeeded > 0, errors }).toEqual({ name, works: true, errors: {} });
    }
    const { acked = 0, sent, logRows = 0, conversationsScanned = 0 } = result?.ledger ?? {};
    expect(sent).toBe(acked);
    const written = (result?.workloads ?? []).filter(({ does }) => /append|plain|message/.test(does));
    expect(logRows).toBe(written.reduce((sum, { succeeded }) => sum + succeeded, 0));
    expect(conversationsScanned).toBeGreaterThan(10);
    expect(stdout).toMatch(/ratio +append \S+ of append-bare/);
    // A workload that ran for two of three seconds is counted over two.
    const append = result?.workloads.find(({ name }) => name === "append");
    expect(append?.succeededPerSecond).toBeCloseTo((append?.succeeded ?? 0) / 2);
  });

  it("runs every client on Redis, and asks at the end whether all who beat are online", async () => {
    using folder = temporaryFolder();
    const end = await startBench(folder.path, onRedis(everyClient, "2s"), [], variables).ended;
    expectBenchExit(end, 0);
    const { result } = end;
    for (const { name, succeeded, errors } of result?.workloads ?? []) {
      expect({ name, works: succeeded > 0, errors }).toEqual({ name, works: true, errors: {} });
    }
    // All of them at the end by every workload that beats, and some before.
    expect(result?.ledger.presenceChecked).toBeGreaterThan(4 * 60);
    expect(result?.stores?.[0]).toMatchObject({ name: "redis" });
  });

  it("exits with 9 when a row that was acked is gone", async () => {
    using folder = temporaryFolder();
    const scenario = onCassandra
      .replace(/ {2}plain:[^]*?(?=phases)/, "")
      .replace("name: three, duration: 1s", "name: three, duration: 8s");
    // Connected beforehand: the row has to be gone before it is looked for.
    const admin = await connectAdmin(config);
    const bench = startBench(folder.path, scenario, [], variables);
    await bench.reaches(1);
    const lost = await deleteNewestRow(admin);
    await admin.close();
    const end = await bench.ended;
    expectBenchExit(end, 9);
    const { stdout, result } = end;
    expect(result?.ledger.faults.counts.acked_not_in_log).toBe(1);
    expect(result?.ledger.faults.cases.some(({ detail }) => detail.includes(lost))).toBe(true);
    expect(stdout).toContain("BROKEN");
  });

  it("exits with 9 when somebody who beat in time looks offline", async () => {
    using folder = temporaryFolder();
    const beats = `  beat: { do: presence.heartbeat, executor: per-user-period, period: 1s }`;
    const late = `  watch: { do: presence.lookup, executor: constant-arrival-rate, rate: 20/s }`;
    const bench = startBench(folder.path, onRedis(`${beats}\n${late}`, "5s"), [], variables);
    await bench.reaches(2);
    // Until it has looked for the last time: whatever is written meanwhile does not stay.
    while (bench.process.exitCode === null && bench.process.signalCode === null) await removeKeys(config);
    const end = await bench.ended;
    expectBenchExit(end, 9);
    const { stdout, result } = end;
    expect(result?.ledger.faults.counts.false_offline).toBeGreaterThan(0);
    expect(stdout).toMatch(/false offline [1-9]/);
  });

  describe("says what is wrong with a store, with the command that mends it", () => {
    it("when it does not answer: exit 4", async () => {
      using folder = temporaryFolder();
      const gone = { ...variables, MSGR_REDIS__URL: "redis://127.0.0.1:1" };
      for (const [scenario, words] of [
        [onServer, ["--profile", "cluster"]],
        [onRedis(everyClient, "1s"), []],
      ] as const) {
        const end = await startBench(folder.path, scenario, words, gone).ended;
        expectBenchExit(end, 4);
        const { stderr, leftovers } = end;
        expect(stderr).toMatch(/error: Redis at 127\.0\.0\.1:1 does not answer.*\n.*msgr stack up/);
        expect(leftovers).toEqual([]);
      }
    });

    it("when its schema is not there: exit 5", async () => {
      using folder = temporaryFolder();
      const bare = { ...variables, MSGR_CASSANDRA__KEYSPACE: "t_nobody_made_this" };
      for (const [scenario, words] of [
        [onServer, ["--profile", "cluster"]],
        [onCassandra, []],
      ] as const) {
        const end = await startBench(folder.path, scenario, words, bare).ended;
        expectBenchExit(end, 5);
        expect(end.stderr).toContain("msgr migrate up");
      }
    });
  });
});

function connectAdmin({ cassandra }: Config): Promise<CassandraAdmin> {
  return connectCassandraAdmin({
    contactPoints: cassandra.contact_points,
    datacenter: cassandra.datacenter,
    keyspace: cassandra.keyspace,
    tls: cassandra.tls,
    username: cassandra.username,
    password: cassandra.password,
    timeoutMs: 20_000,
    statementTimeoutMs: 20_000,
  });
}

/** Answers the message's id. */
async function deleteNewestRow(admin: CassandraAdmin): Promise<string> {
  const rows = await admin.execute(
    "SELECT conversation_id, bucket, seq, message_id, WRITETIME(kind) AS at FROM messages",
  );
  const newest = rows.toSorted((one, other) => Number((other["at"] as bigint) - (one["at"] as bigint)))[0];
  const key = [newest?.["conversation_id"], newest?.["bucket"], newest?.["seq"]];
  await admin.execute("DELETE FROM messages WHERE conversation_id = ? AND bucket = ? AND seq = ?", key);
  return String(newest?.["message_id"]);
}

async function removeKeys({ redis }: Config): Promise<void> {
  const client = new Redis(redis.url, redis.password === undefined ? {} : { password: redis.password });
  try {
    const keys = await client.keys(`${redis.key_prefix}*`);
    if (keys.length > 0) await client.del(keys);
  } finally {
    client.disconnect();
  }
}
