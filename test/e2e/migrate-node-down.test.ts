import { afterAll, beforeAll, expect, test } from "vitest";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { migrationFolder } from "../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { runCli, temporaryFolder } from "../helpers/server-process.ts";
import { ownStack, type OwnStack } from "../helpers/stack-command.ts";

/** Three nodes that keep three copies, of which some stand still: they take connections and say nothing. */
const withinMs = 300_000;
const commandWithinMs = 180_000;

describeOn(["cassandra"], "msgr migrate up, with nodes of Cassandra that stand still,", () => {
  const folder = temporaryFolder();
  let stack: OwnStack;

  beforeAll(async () => {
    stack = ownStack(`${folder.path}/stack`, ["cassandra"], { flags: ["--cassandra-nodes", "3"] });
    await stack.up();
  }, withinMs);

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  }, withinMs);

  test(
    "goes on without one of three, ends with exit 4 without two, and completes when they are back",
    { timeout: withinMs },
    async () => {
      const { settings, processes } = stack.file();
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
      const signal = (name: string, what: NodeJS.Signals): void =>
        void process.kill(processes.find((one) => one.name === name)?.pid ?? Number.NaN, what);
      // Nodes that began a moment ago may not know of one another yet.
      let ran = await up("0001");
      for (let again = 0; ran.code !== 0 && again < 8; again++) ran = await up("0001");
      expect(ran).toMatchObject({ code: 0 });

      using standing = new DisposableStack();
      const stop = (name: string): void => {
        signal(name, "SIGSTOP");
        standing.defer(() => signal(name, "SIGCONT"));
      };
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
      const third = processes.find(({ name }) => name === "cassandra-3")?.address ?? "";
      const verified = await migrate(["verify"], { MSGR_CASSANDRA__CONTACT_POINTS: third });
      expect([verified.code, verified.stderr]).toEqual([0, ""]);
      expect(await migrate(["status"], { MSGR_CASSANDRA__CONTACT_POINTS: third })).toMatchObject({ code: 0 });
    },
  );
});
