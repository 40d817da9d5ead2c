import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { createSeededRandom, randomBelow } from "../../src/base/random.ts";
import { registry } from "../../src/cli/registry.ts";
import type { Config } from "../../src/server/config/config-schema.ts";
import { expectExit } from "../helpers/expect-exit.ts";
import { dropCassandra, dropPostgres } from "../helpers/migrated-stores.ts";
import { migrationFolder, type MigrationFolder } from "../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { runCli } from "../helpers/server-process.ts";

/** For every migration of a store that shares its cores with the tests, after another runner that does the same. */
const commandWithinMs = 150_000;

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");

/** The settings of a test's own keyspace and database, as an operator would hand them over. */
function environmentOf({ cassandra, postgres }: Config): Record<string, string> {
  return {
    MSGR_CASSANDRA__CONTACT_POINTS: cassandra.contact_points,
    MSGR_CASSANDRA__DATACENTER: cassandra.datacenter,
    MSGR_CASSANDRA__KEYSPACE: cassandra.keyspace,
    MSGR_CASSANDRA__REPLICATION_FACTOR: String(cassandra.replication_factor),
    MSGR_CASSANDRA__TIMEOUT_MS: "30000",
    MSGR_POSTGRES__TIMEOUT_MS: "30000",
    MSGR_POSTGRES__URL: postgres.url,
    MSGR_POSTGRES__PASSWORD: postgres.password ?? "",
  };
}

function migrateOn(config: Config) {
  const env = environmentOf(config);
  return async (...words: string[]) => {
    const { code, stdout, stderr } = await runCli(["migrate", ...words], { env, withinMs: commandWithinMs });
    const isJson = words.includes("--json");
    return { code, stdout, stderr, document: isJson ? (JSON.parse(stdout) as Record<string, unknown>) : {} };
  };
}

describeOn(["cassandra", "postgres"], "msgr migrate", () => {
  const config = realStoreConfig();
  const migrate = migrateOn(config);

  afterAll(async () => {
    await Promise.all([dropCassandra(config), dropPostgres(config)]);
  });

  test(
    "brings both stores from nothing to this version, also twice at once, and every command agrees",
    { timeout: 400_000 },
    async () => {
      const before = await migrate("status", "--json");
      expect(before.code).toBe(5);
      expect((before.document["migrations"] as { state: string }[]).every(({ state }) => state === "pending")).toBe(
        true,
      );
      expect((await migrate("wait", "--timeout", "0")).code).toBe(5);
      const plan = await migrate("plan", "--json");
      expect([plan.code, (plan.document["statements"] as { destroys: boolean }[])[0]?.destroys]).toEqual([0, false]);

      // Two at once, as two servers are deployed: both end well, and every migration ran once.
      const runs = await Promise.all([migrate("up", "--json"), migrate("up", "--json")]);
      for (const run of runs) expectExit(run, 0);
      const applied = runs.flatMap(({ document }) =>
        (document["applied"] as { kind: string; name: string }[]).map(({ kind, name }) => `${kind}/${name}`),
      );
      expect(applied).toHaveLength(before.document["pending"] as number);
      expect(new Set(applied).size).toBe(applied.length);
      expect(runs.map(({ stderr }) => stderr).join("")).toMatch(/^cql\/0001_.*statement.* ms$/m);

      for (const word of ["status", "plan", "verify", "drift", "wait", "unlock", "history", "repair", "lint", "up"]) {
        const command = await registry.find(({ name }) => name === `migrate ${word}`)?.load();
        const { document, ...ended } = await migrate(word, "--json");
        expectExit(ended, 0, word);
        expect([word, command?.output?.schema.safeParse(document).success]).toEqual([word, true]);
      }
    },
  );

  test("says that a newer version was here, and refuses", async () => {
    using folder = migrationFolder();
    folder.write("cql", { "0001_other": "-- x\nCREATE TABLE IF NOT EXISTS other (id int PRIMARY KEY);\n" });
    const { code, stderr } = await migrate("up", "--only", "cql", "--directory", folder.path);
    expect([code, stderr]).toEqual([3, expect.stringContaining("newer than this version")]);
  });
});

describeOn(["cassandra", "postgres"], "msgr migrate, with what can go wrong,", () => {
  const config = realStoreConfig();
  const migrate = migrateOn(config);

  test.each([
    ["a node that does not answer", { "cassandra.contact_points": "127.0.0.1:1" }, 4, "127.0.0.1:1"],
    ["a wrong password", { "postgres.password": "wrong" }, 3, "postgres.password"],
    ["a wrong data centre", { "cassandra.datacenter": "moon" }, 3, "nodetool status"],
  ])("exits on %s with its cause and what mends it", async (_what, overrides, exit, words) => {
    for (const word of ["up", "status"]) {
      const { code, stderr, document } = await migrateOn(realStoreConfig(overrides))(word, "--json");
      expect([word, code, document]).toMatchObject([word, exit, { error: { exit } }]);
      expect(stderr).toContain(words);
      expect(stderr).not.toContain("    at ");
    }
  });

  test("runs nothing that the linter objects to, and names the directive that allows it", async () => {
    using folder = migrationFolder();
    folder.write("sql", { "0001_a": "-- x\nDROP TABLE IF EXISTS a;\n" });
    const words = ["--only", "sql", "--directory", folder.path];
    const refused = await migrate("up", ...words);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("sql/0001_a.sql:2:1: drop:")]);
    expect(refused.stderr).toContain("-- msgr: allow-destructive");
    expect((await migrate("lint", ...words)).code).toBe(5);
    folder.write("sql", { "0001_a": "-- msgr: allow-destructive\nDROP TABLE IF EXISTS a;\n" });
    expectExit(await migrate("up", ...words), 0);
    await dropPostgres(config);
  });

  test("names a gap between files, and a file that is no CQL, with their places", async () => {
    using folder = migrationFolder();
    folder.write("cql", { "0002_b": "SELECT 1;" });
    const words = ["--only", "cql", "--directory", folder.path];
    expect((await migrate("up", ...words)).stderr).toContain("cql/0002_b.cql: number 0001 is missing before it");
    folder.write("cql", { "0001_a": "SELECT 'x;" });
    const lint = await migrate("lint", "--json", ...words);
    expect([lint.code, lint.stderr]).toEqual([
      5,
      expect.stringContaining("cql/0001_a.cql:1:8: a string that is never"),
    ]);
  });

  test("makes files that its own linter and stores accept", async () => {
    using folder = migrationFolder();
    for (const kind of ["cql", "sql"]) {
      const { code, stdout } = await migrate("create", kind, "invitations", "--directory", folder.path);
      expect([code, stdout.trim()]).toEqual([0, path.join(folder.path, kind, `0001_invitations.${kind}`)]);
    }
    for (const word of ["up", "verify"]) expectExit(await migrate(word, "--directory", folder.path), 0);
    expect((await migrate("create", "sql", "Bad Name", "--directory", folder.path)).code).toBe(2);
    await Promise.all([dropCassandra(config), dropPostgres(config)]);
  });
});

const roundsMax = 3;
const [cqlFiles, sqlFiles] = [4, 8];

/** Migrations that take a while, and of which one can tell whether each ran exactly once. */
function slowMigrations(folder: MigrationFolder): void {
  for (let version = 1; version <= cqlFiles; version++) {
    const table = `-- x\nCREATE TABLE IF NOT EXISTS t${version} (id int PRIMARY KEY);\n`;
    const column = `ALTER TABLE t${version} ADD IF NOT EXISTS name text;\n`;
    folder.write("cql", { [`000${version}_t`]: `${table}${column}-- verify\nSELECT name FROM t${version} LIMIT 1;\n` });
  }
  for (let version = 1; version <= sqlFiles; version++) {
    const table = version === 1 ? "CREATE TABLE ran (version integer);\n" : "";
    const work = `INSERT INTO ran VALUES (${version});\nSELECT pg_sleep(0.05);\n`;
    const ranOnce = `-- verify\nSELECT count(*) = 1 FROM ran WHERE version = ${version};\n`;
    folder.write("sql", { [`000${version}_ran`]: `-- x\n${table}${work}${ranOnce}` });
  }
}

describeOn(["cassandra", "postgres"], "msgr migrate up, killed", () => {
  const seed = Number(process.env["MSGR_TEST_SEED"] ?? randomInt(2 ** 31));
  const random = createSeededRandom(seed);
  const config = realStoreConfig();
  const migrate = migrateOn(config);
  afterAll(async () => {
    await Promise.all([dropCassandra(config), dropPostgres(config)]);
  });

  /** Ends it by SIGKILL a moment after the statement of that number was announced; null = it came to its end before. */
  async function upUntil(statement: number, words: readonly string[]): Promise<number | null> {
    const child = spawn(process.execPath, [main, "migrate", "up", "-v", ...words], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...environmentOf(config) },
    });
    let left = statement;
    for await (const line of createInterface({ input: child.stderr })) {
      if (/ \d+\/\d+ /.test(line) && --left === 0) {
        await delay(randomBelow(random, 30));
        child.kill("SIGKILL");
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    return child.signalCode === null ? null : statement;
  }

  test("anywhere is completed by the next run, every statement once", { timeout: 400_000 }, async () => {
    using folder = migrationFolder();
    slowMigrations(folder);
    const words = ["--directory", folder.path];
    const killedAt: (number | null)[] = [];
    for (let round = 0; round < roundsMax; round++) {
      killedAt.push(await upUntil(1 + randomBelow(random, 8), words));
      const { document } = await migrate("unlock", "--only", "cql", "--json", ...words);
      const [lock] = document["locks"] as { holder: { id: string } | null }[];
      if (lock?.holder) await migrate("unlock", "--only", "cql", "--confirm", lock.holder.id);
    }
    const where = `seed ${seed}, killed at ${killedAt.join(", ")}`;
    expect(killedAt.some((at) => at !== null)).toBe(true);
    expectExit(await migrate("up", ...words), 0, where);
    expect([where, (await migrate("verify", ...words)).stdout]).toEqual([where, expect.stringContaining("holds")]);
    for (const word of ["status", "drift"]) expectExit(await migrate(word, ...words), 0, where);
  });

  test("a first Ctrl-C ends it between two statements, and the next run goes on at once", async () => {
    using folder = migrationFolder();
    // Long enough for the signal to arrive under way, however late this process hears of it.
    const slow = "-- x\nSELECT pg_sleep(4);\nSELECT 1;\n";
    folder.write("sql", { "0001_a": "-- x\nSELECT 1;\n", "0002_b": slow, "0003_c": "-- x\nSELECT 1;\n" });
    const fresh = realStoreConfig();
    const words = ["--only", "sql", "--directory", folder.path];
    const child = spawn(process.execPath, [main, "migrate", "up", "-v", ...words], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...environmentOf(fresh) },
    });
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes("0002_b.sql 1/")) child.kill("SIGINT");
    }
    if (child.exitCode === null) await once(child, "close");
    expect(child.exitCode).toBe(130);
    const again = await migrateOn(fresh)("up", "--lock-timeout", "0", "--json", ...words);
    expectExit(again, 0);
    expect((again.document["applied"] as { version: number }[])[0]?.version).toBeGreaterThanOrEqual(2);
    await dropPostgres(fresh);
  });
});
