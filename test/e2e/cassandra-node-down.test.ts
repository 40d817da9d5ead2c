import cassandra from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MigrateError } from "../../src/migrate/migrate-error.ts";
import type { Config } from "../../src/server/config/config-schema.ts";
import { contactOptions } from "../../src/stores/cassandra/contact-options.ts";
import { connectCassandra } from "../../src/stores/cassandra/connect.ts";
import { createCassandraMessageLog } from "../../src/stores/cassandra/message-log.ts";
import { newId } from "../contract/durable-harness.ts";
import { fill } from "../contract/log-fixture.ts";
import { cassandraOptions } from "../helpers/cassandra-keyspace.ts";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { prepareCassandra } from "../helpers/migrated-stores.ts";
import { migrationFolder } from "../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { runCli, temporaryFolder } from "../helpers/server-process.ts";
import { ownStack, type OwnStack } from "../helpers/stack-command.ts";

/** Three nodes that keep three copies, of which some stand still: they take connections and say nothing. */
const withinMs = 300_000;
const commandWithinMs = 180_000;
const startWithinMs = 600_000;

describeOn(["cassandra"], "with nodes of Cassandra that stand still,", () => {
  const folder = temporaryFolder();
  let stack: OwnStack;

  beforeAll(async () => {
    stack = ownStack(`${folder.path}/stack`, ["cassandra"], { flags: ["--cassandra-nodes", "3"] });
    await startAgreeing(stack);
  }, startWithinMs);

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  }, withinMs);

  /** Until it is disposed of. */
  function standStill(name: string): Disposable {
    const pid = stack.file().processes.find((one) => one.name === name)?.pid ?? Number.NaN;
    process.kill(pid, "SIGSTOP");
    return { [Symbol.dispose]: () => void process.kill(pid, "SIGCONT") };
  }

  test(
    "each of three in turn, rows are written and read on, and doctor names the one that does not answer",
    { timeout: withinMs },
    async () => {
      const { settings, processes } = stack.file();
      const config = realStoreConfig({ ...settings, "cassandra.timeout_ms": 3_000 });
      await prepareCassandra(config);
      await using nodes = await connectNodes(config.cassandra);
      const session = await connectCassandra(cassandraOptions(config));
      await using _ = { [Symbol.asyncDispose]: () => session.close() };
      const log = createCassandraMessageLog(session);
      for (const { name, address } of processes) {
        // The copies of all three: none believes of another that it is away.
        await eventually(async () => expect(await nodes.readAllCopies()).toEqual([true, true, true]));
        using standing = new DisposableStack();
        standing.use(standStill(name));
        // What it was asked before anybody noticed is open, and the two others may be slow for once where little else is.
        let [id, rows] = ["", [] as Awaited<ReturnType<typeof fill>>];
        await eventually(async () => {
          id = newId();
          rows = await fill(log, id, 10);
        });
        const page = await log.readBucket(id, 0, 1, 10, 10, "latest");
        expect(page.rows.map(({ messageId }) => messageId).toSorted()).toEqual(
          rows.map(({ messageId }) => messageId).toSorted(),
        );
        const doctor = await runCli(["doctor", "--profile", "cluster", "--json"], {
          env: variablesOf(config),
          withinMs: commandWithinMs,
        });
        const { findings } = JSON.parse(doctor.stdout) as { findings: readonly Record<string, string>[] };
        expect(findings.filter(({ check, state }) => check === "cassandra" && state === "fail")).toMatchObject([
          { message: `${address} does not answer; messages go on, since most of the 3 copies are there` },
        ]);
        expect(await stack.run(["status"], 5)).toMatch(
          new RegExp(`${name} does not answer[^]*stack up --only cassandra --directory ${stack.directory} starts`),
        );
      }
    },
  );

  test(
    "msgr migrate up goes on without one of three, ends with exit 4 without two, and completes when they are back",
    { timeout: withinMs },
    async () => {
      const { settings } = stack.file();
      const config = realStoreConfig(settings);
      using files = migrationFolder();
      const names = ["0001_a", "0002_b", "0003_c"];
      files.write(
        "cql",
        Object.fromEntries(
          names.map((name) => [name, `-- x\nCREATE TABLE IF NOT EXISTS t${name} (id int PRIMARY KEY);\n`]),
        ),
      );
      const migrate = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
        runCli(["migrate", ...words, "--only", "cql", "--directory", files.path], {
          env: { ...variablesOf(config), ...more },
          withinMs: commandWithinMs,
        });
      const up = (to: string, more = {}) => migrate(["up", "--to", to], more);
      // A node that stands still costs each run this long.
      const hurried = { MSGR_CASSANDRA__TIMEOUT_MS: "2000" };
      // Nodes that began a moment ago may not know of one another yet.
      let ran = await up("0001");
      for (let again = 0; ran.code !== 0 && again < 8; again++) ran = await up("0001");
      expect(ran).toMatchObject({ code: 0 });

      using standing = new DisposableStack();
      const stop = (name: string): void => void standing.use(standStill(name));
      stop("cassandra-3");
      // Until the others have noticed, they wait for its copy; each run that this stops says so, and the next one goes on.
      ran = await up("0002", hurried);
      for (let again = 0; ran.code !== 0 && again < 8; again++) {
        expect([ran.code, ran.stderr]).toEqual([4, expect.stringMatching(/does not answer|did not agree/)]);
        ran = await up("0002", hurried);
      }
      expect(ran).toMatchObject({ code: 0 });

      stop("cassandra-2");
      const refused = await up("0003", hurried);
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("fix: ")]);
      expect(refused.stderr).toContain(`Cassandra on ${config.cassandra.contact_points} does not answer`);

      standing.dispose();
      ran = await up("0003");
      for (let again = 0; ran.code !== 0 && again < 8; again++) ran = await up("0003");
      expect(ran).toMatchObject({ code: 0 });
      // The one that was away throughout has learnt all of it.
      const third = stack.file().processes.find(({ name }) => name === "cassandra-3")?.address ?? "";
      const verified = await migrate(["verify"], { MSGR_CASSANDRA__CONTACT_POINTS: third });
      expect([verified.code, verified.stderr]).toEqual([0, ""]);
      expect(await migrate(["status"], { MSGR_CASSANDRA__CONTACT_POINTS: third })).toMatchObject({ code: 0 });
    },
  );
});

/**
 * Now and then three nodes that were started one after the other on a busy machine do not agree on any change of the schema for
 * minutes. It is not known why; what is looked at here begins with nodes that do.
 */
async function startAgreeing(stack: OwnStack): Promise<void> {
  for (let again = 0; again < 2; again++) {
    await stack.up();
    try {
      return await prepareCassandra(realStoreConfig(stack.file().settings));
    } catch (error) {
      if (!(error instanceof MigrateError) || error.code !== "no_agreement") throw error;
      await stack.run(["down"]);
    }
  }
  await stack.up();
}

/** The driver by itself, told where every node is. */
async function connectNodes({ contact_points, datacenter, keyspace }: Config["cassandra"]) {
  const client = new cassandra.Client({
    ...contactOptions(contact_points),
    localDataCenter: datacenter,
    keyspace,
    policies: { reconnection: new cassandra.policies.reconnection.ConstantReconnectionPolicy(500) },
  });
  await client.connect();
  const all = { consistency: cassandra.types.consistencies.all, readTimeout: 3_000 };
  const query = `SELECT head FROM messages WHERE conversation_id = ${newId()} AND bucket = 0`;
  return {
    /** Whether each node answers for all copies of a row. */
    readAllCopies: () =>
      Promise.all(
        client.hosts.values().map(async (host) => {
          return client.execute(query, [], { ...all, host }).then(
            () => true,
            () => false,
          );
        }),
      ),
    [Symbol.asyncDispose]: () => client.shutdown(),
  };
}
