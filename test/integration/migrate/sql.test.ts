import { afterEach, expect, it } from "vitest";
import { readMigrations } from "../../../src/migrate/read-migrations.ts";
import { changedMigrations, repair } from "../../../src/migrate/repair.ts";
import type { SchemaStore } from "../../../src/migrate/schema-store.ts";
import { verifySchema } from "../../../src/migrate/verify-schema.ts";
import type { Config } from "../../../src/server/config/config-schema.ts";
import { connectPostgresAdmin, type PostgresAdmin } from "../../../src/stores/postgres/connect-admin.ts";
import { migrationFolder } from "../../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";
import { guillotine, Killed, openSql, runUp, upDefaults, usingStore } from "./fixture.ts";

const things = `-- Things.
CREATE TABLE things (id integer PRIMARY KEY, name text);
CREATE FUNCTION one() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
INSERT INTO things VALUES (1, 'a;b');

-- verify
SELECT count(*) = 1 FROM things;
`;
const indexes = `-- msgr: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS things_name ON things (name);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS things_unique ON things (id, name);
-- verify
SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'things'::regclass;
`;

/** Hands every request of a store to `wrap`. */
const connectThrough =
  (
    wrap: <T>(request: () => Promise<T>, sql: string) => Promise<T>,
    opened?: (admin: PostgresAdmin) => void,
  ): typeof connectPostgresAdmin =>
  async (options) => {
    const admin = await connectPostgresAdmin(options);
    opened?.(admin);
    return { ...admin, query: async (sql, params) => wrap(async () => admin.query(sql, params), sql) };
  };

describeOn(["postgres"], "migrations of PostgreSQL", () => {
  const configs: Config[] = [];
  const freshConfig = (): Config => {
    const config = realStoreConfig();
    configs.push(config);
    return config;
  };
  const inDatabase = async (config: Config, sql: string) => {
    const { url, password } = config.postgres;
    const admin = await connectPostgresAdmin({ url, password, applicationName: "test", timeoutMs: 5_000 });
    try {
      return await admin.query(sql);
    } finally {
      await admin.close();
    }
  };
  const finishedIn = async (store: SchemaStore) =>
    (await store.readJournal()).map(({ finishedAt }) => finishedAt !== undefined);

  afterEach(async () => {
    for (const config of configs.splice(0))
      await usingStore(
        async () => openSql(config),
        async (store) => store.drop(),
      );
  });

  it("go on after what is done, also in a file that was corrected to be one transaction", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    const begun = "INSERT INTO things VALUES (2, 'b');\n";
    folder.write("sql", {
      "0001_things": things,
      "0002_more": `-- msgr: no-transaction\n${begun}SELECT nobody_made_this();\n`,
    });
    await expect(runUp(async () => openSql(config), folder)).rejects.toMatchObject({ code: "statement_failed" });
    folder.write("sql", { "0002_more": `${begun}SELECT one();\n` });
    expect(await runUp(async () => openSql(config), folder)).toEqual(["0002_more"]);
    expect(await inDatabase(config, "SELECT id FROM things ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("are completed by the next run, wherever the one before was killed", { timeout: 120_000 }, async () => {
    using folder = migrationFolder();
    folder.write("sql", { "0001_things": things, "0002_indexes": indexes });
    let hasFinished = false;
    for (let after = 1; !hasFinished; after++) {
      const config = freshConfig();
      const blade = guillotine(after, after % 2 === 0);
      const sessions: PostgresAdmin[] = [];
      const connect = connectThrough(blade.wrap, (admin) => void sessions.push(admin));
      const first = await runUp(async () => openSql(config, { connect }), folder).catch((error: unknown) => error);
      hasFinished = Array.isArray(first);
      if (!hasFinished) expect(first).toBeInstanceOf(Killed);
      for (const session of sessions) await session.close();
      await runUp(async () => openSql(config), folder);
      await usingStore(
        async () => openSql(config),
        async (store) => {
          expect([after, await finishedIn(store)]).toEqual([after, [true, true]]);
          expect(await verifySchema(store, await readMigrations(folder.path, "sql"))).toEqual([]);
          await store.drop();
        },
      );
    }
    expect(configs.length).toBeGreaterThan(20);
    configs.length = 0;
  });

  it("leave nothing of a file whose statement fails, and name its place", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_a": "-- x\nCREATE TABLE a (id int);\nINSERT INTO a\n  VALUES (no_such);\n" });
    await expect(runUp(async () => openSql(config), folder)).rejects.toThrow(/^sql\/0001_a\.sql:4:11: .*no_such/);
    expect(await inDatabase(config, "SELECT to_regclass('a') AS a")).toEqual([{ a: null }]);
    await usingStore(
      async () => openSql(config),
      async (store) => expect(await store.readJournal()).toEqual([]),
    );
  });

  it("leave nothing of a file whose promise does not hold", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things.replace("= 1 FROM", "= 2 FROM") });
    await expect(runUp(async () => openSql(config), folder)).rejects.toThrow(
      /^sql\/0001_things\.sql:7:1: .*does not hold: false was answered/,
    );
    expect(await inDatabase(config, "SELECT to_regclass('things') AS a")).toEqual([{ a: null }]);
  });

  it("build an index anew that a killed run left invalid", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things });
    await runUp(async () => openSql(config), folder);
    await inDatabase(config, "INSERT INTO things VALUES (2, 'a;b')");
    // It fails on the two equal names and stays behind, invalid: as after a kill.
    await inDatabase(config, "CREATE UNIQUE INDEX CONCURRENTLY things_name ON things (name)").catch(() => undefined);
    await inDatabase(config, "DELETE FROM things WHERE id = 2");
    const invalid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'things_name'::regclass";
    expect(await inDatabase(config, invalid)).toEqual([{ indisvalid: false }]);
    folder.write("sql", { "0002_indexes": indexes });
    await runUp(async () => openSql(config), folder);
    expect(await inDatabase(config, invalid)).toEqual([{ indisvalid: true }]);
  });

  it("are run once by runners that begin at once, where not even the database exists", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things, "0002_indexes": indexes });
    const runs = await Promise.all([1, 2, 3].map(async () => runUp(async () => openSql(config), folder)));
    expect(runs.flat().toSorted()).toEqual(["0001_things", "0002_indexes"]);
  });

  it("name the holder to a runner that does not wait, and end its session when the lock is taken away", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things });
    await usingStore(
      async () => openSql(config),
      async (store) => {
        await store.prepare();
        const lock = await store.acquire(upDefaults);
        await expect(runUp(async () => openSql(config), folder, { timeoutMs: 0 })).rejects.toMatchObject({
          code: "locked",
          message: expect.stringMatching(/^msgr migrate test@here\/1 \(pid \d+\) holds the lock since 20/) as string,
        });
        await usingStore(
          async () => openSql(config),
          async (other) => {
            const holder = await other.readHolder();
            expect(await other.breakLock("pid 1")).toBe(false);
            const lost = new Promise((resolve) => lock.lost.addEventListener("abort", resolve));
            expect(await other.breakLock(holder?.id ?? "")).toBe(true);
            await lost;
            expect(await other.readHolder()).toBeUndefined();
          },
        );
        const migrations = await readMigrations(folder.path, "sql");
        const [first] = migrations;
        if (first === undefined) throw new Error("no migration");
        await expect(store.apply(first, undefined, { ...upDefaults, lock })).rejects.toMatchObject({
          store: "postgres",
        });
      },
    );
    expect(await runUp(async () => openSql(config), folder)).toEqual(["0001_things"]);
  });

  it("do not trust a lock that another session holds: a pooler in transaction mode", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things });
    const connect: typeof connectPostgresAdmin = async (options) => {
      const [one, other] = [await connectPostgresAdmin(options), await connectPostgresAdmin(options)];
      let turn = 0;
      return {
        ...one,
        query: async (sql, params) =>
          (sql.includes("advisory") ? ([one, other][turn++ % 2] ?? one) : one).query(sql, params),
        async close() {
          await one.close();
          await other.close();
        },
      };
    };
    await expect(runUp(async () => openSql(config, { connect }), folder)).rejects.toThrow(/pooler in transaction mode/);
  });

  it("give up a table that others hold, instead of queueing in front of everybody", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things });
    await runUp(async () => openSql(config), folder);
    const { url, password } = config.postgres;
    const busy = await connectPostgresAdmin({ url, password, applicationName: "busy", timeoutMs: 5_000 });
    await busy.query("BEGIN");
    await busy.query("SELECT * FROM things");
    folder.write("sql", { "0002_more": "-- x\nALTER TABLE things ADD COLUMN more integer;\n" });
    await expect(runUp(async () => openSql(config), folder)).rejects.toMatchObject({
      code: "statement_failed",
      fix: expect.stringContaining("when it is quiet") as string,
    });
    await busy.close();
    expect(await runUp(async () => openSql(config), folder)).toEqual(["0002_more"]);
  });

  it("bound each statement by the time-out of its file", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_slow": "-- msgr: timeout 100ms\nSELECT pg_sleep(30);\n" });
    await expect(runUp(async () => openSql(config), folder)).rejects.toMatchObject({
      code: "statement_failed",
      fix: expect.stringContaining("-- msgr: timeout") as string,
    });
  });

  it("refuse an edited file with the difference, until it is taken by repair; and a newer schema", async () => {
    using folder = migrationFolder();
    using older = migrationFolder();
    const config = freshConfig();
    folder.write("sql", { "0001_things": things, "0002_indexes": indexes });
    older.write("sql", { "0001_things": things });
    await runUp(async () => openSql(config), folder);
    await expect(runUp(async () => openSql(config), older)).rejects.toMatchObject({ code: "newer" });
    folder.write("sql", { "0001_things": things.replace("-- Things.", "-- Stuff.") });
    await expect(runUp(async () => openSql(config), folder)).rejects.toThrow(
      /^sql\/0001_things\.sql is not what was applied \(.* by test@here\/1\):\n.*\n- -- Things\.\n\+ -- Stuff\.$/,
    );
    await usingStore(
      async () => openSql(config),
      async (store) => {
        const migrations = await readMigrations(folder.path, "sql");
        await repair(store, migrations, 1, upDefaults);
        expect(await changedMigrations(store, migrations)).toEqual([]);
      },
    );
    expect(await runUp(async () => openSql(config), folder)).toEqual([]);
  });

  it("say which address does not answer, and that the password is wrong, without printing it", async () => {
    const away = realStoreConfig({ "postgres.url": "postgres://msgr@127.0.0.1:1/x" });
    await expect(openSql(away)).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("127.0.0.1:1") as string,
    });
    const stranger = realStoreConfig({ "postgres.password": "wrong-secret" });
    const error = await openSql(stranger).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: "wrong_password",
      fix: expect.stringContaining("postgres.password") as string,
    });
    expect(String(error)).not.toContain("wrong-secret");
  });
});
