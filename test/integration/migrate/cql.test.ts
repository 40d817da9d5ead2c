import { afterEach, expect, it } from "vitest";
import { StoreError } from "../../../src/base/store-error.ts";
import { MigrateError } from "../../../src/migrate/migrate-error.ts";
import { migrateUp } from "../../../src/migrate/migrate-up.ts";
import { readMigrations } from "../../../src/migrate/read-migrations.ts";
import { changedMigrations, repair } from "../../../src/migrate/repair.ts";
import type { SchemaStore } from "../../../src/migrate/schema-store.ts";
import { verifySchema } from "../../../src/migrate/verify-schema.ts";
import type { Config } from "../../../src/server/config/config-schema.ts";
import { connectCassandraAdmin } from "../../../src/stores/cassandra/connect-admin.ts";
import { migrationFolder, type MigrationFolder } from "../../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";
import { guillotine, Killed, openCql, runUp, upDefaults, usingStore } from "./fixture.ts";

const things = `-- Things.
CREATE TABLE IF NOT EXISTS things (id int PRIMARY KEY, name text);
ALTER TABLE things ADD IF NOT EXISTS colour text;
BEGIN BATCH
  INSERT INTO things (id, name) VALUES (1, 'a;b');
  INSERT INTO things (id, colour) VALUES (2, 'blue');
APPLY BATCH;

-- verify
SELECT id, name, colour FROM things LIMIT 1;
`;
const more = "-- More.\nCREATE TABLE IF NOT EXISTS more (id int PRIMARY KEY);\n";

/** Hands every request of a store to `wrap`. */
const connectThrough =
  (wrap: <T>(request: () => Promise<T>, cql: string) => Promise<T>): typeof connectCassandraAdmin =>
  async (options) => {
    const admin = await connectCassandraAdmin(options);
    return { ...admin, execute: async (cql, ...rest) => wrap(async () => admin.execute(cql, ...rest), cql) };
  };

describeOn(["cassandra"], "migrations of Cassandra", () => {
  const configs: Config[] = [];
  const freshConfig = (overrides = {}): Config => {
    const config = realStoreConfig(overrides);
    configs.push(config);
    return config;
  };

  afterEach(async () => {
    for (const config of configs.splice(0))
      await usingStore(
        async () => openCql(config),
        async (store) => store.drop(),
      );
  });

  /** Kills a run after so many requests, breaks the lock of the dead, and runs again. Answers whether it was killed at all. */
  async function killAndRunAgain(config: Config, folder: MigrationFolder, after: number): Promise<boolean> {
    const { wrap } = guillotine(after, after % 2 === 0);
    const open = async (): Promise<SchemaStore> => openCql(config, { connect: connectThrough(wrap) });
    const first = await runUp(open, folder).catch((error: unknown) => error);
    if (Array.isArray(first)) return false;
    expect(first).toBeInstanceOf(Killed);
    await usingStore(
      async () => openCql(config),
      async (store) => {
        const holder = await store.readHolder();
        if (holder !== undefined) expect(await store.breakLock(holder.id)).toBe(true);
        const migrations = await readMigrations(folder.path, "cql");
        await migrateUp(store, migrations, upDefaults);
        expect([after, await verifySchema(store, migrations)]).toEqual([after, []]);
        expect(await store.readJournal()).toHaveLength(migrations.length);
      },
    );
    return true;
  }

  it("wait for a node that has not heard of the new keyspace", { timeout: 120_000 }, async () => {
    using folder = migrationFolder();
    folder.write("cql", { "0001_a": "-- x\nCREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY);\n" });
    let unheard = 3;
    const connect: typeof connectCassandraAdmin = async (options) => {
      if (options.keyspace !== undefined && unheard-- > 0)
        throw new StoreError("cassandra", "missing_database", "no keyspace", "none");
      return await connectCassandraAdmin(options);
    };
    const config = freshConfig();
    expect(await runUp(async () => openCql(config, { connect }), folder)).toHaveLength(1);
    expect(unheard).toBeLessThan(0);
  });

  it("are completed by the next run, wherever the one before was killed", { timeout: 120_000 }, async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    let [after, wasKilled] = [0, true];
    while (wasKilled) {
      after += 1;
      const number = String(after).padStart(4, "0");
      folder.write("cql", { [`${number}_things`]: things.replaceAll("things", `things_${number}`) });
      wasKilled = await killAndRunAgain(config, folder, after);
    }
    expect(after).toBeGreaterThan(20);
  });

  it.each([1, 2, 3, 4, 5])(
    "are completed also when the first run of all was killed after %i requests",
    async (after) => {
      using folder = migrationFolder();
      folder.write("cql", { "0001_things": things });
      expect(await killAndRunAgain(freshConfig(), folder, after)).toBe(true);
    },
  );

  it("resume at the statement that failed, also after that one was corrected", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    const text =
      "-- x\nCREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY);\n\n  CREATE TABLE IF NOT EXISTS b (id innt PRIMARY KEY);\n";
    folder.write("cql", { "0001_ab": text });
    await expect(runUp(async () => openCql(config), folder)).rejects.toThrow(/^cql\/0001_ab\.cql:4:3: .*innt/s);
    folder.write("cql", { "0001_ab": text.replace("innt", "int") });
    const ran: string[] = [];
    const observer = {
      ...upDefaults.observer,
      statement: (_: unknown, index: number) => void ran.push(String(index)),
    };
    expect(await runUp(async () => openCql(config), folder, { observer })).toEqual(["0001_ab"]);
    expect(ran).toEqual(["1"]);
  });

  it("name the line and column of a syntax error", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("cql", { "0001_a": "-- x\n  CREATE TABLE IF NOT EXISTS a (\n    id int PRIMARY KEYY,\n  );\n" });
    await expect(runUp(async () => openCql(config), folder)).rejects.toThrow(/^cql\/0001_a\.cql:3:20: /);
  });

  it("are run once by two runners at once", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("cql", { "0001_things": things, "0002_more": more });
    const runs = await Promise.all([1, 2, 3].map(async () => runUp(async () => openCql(config), folder)));
    expect(runs.flat().toSorted()).toEqual(["0001_things", "0002_more"]);
  });

  it("name the holder to a runner that does not wait", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("cql", { "0001_more": more });
    await usingStore(
      async () => openCql(config),
      async (store) => {
        await store.prepare();
        const lock = await store.acquire(upDefaults);
        await expect(runUp(async () => openCql(config), folder, { timeoutMs: 0 })).rejects.toMatchObject({
          code: "locked",
          message: expect.stringMatching(/^test@here\/1 \(test@here\/1#.*\) holds the lock since 20/) as string,
        });
        await lock.release();
        expect(await store.readHolder()).toBeUndefined();
        expect(await runUp(async () => openCql(config), folder, { timeoutMs: 0 })).toEqual(["0001_more"]);
      },
    );
  });

  it("know their own lock when the answer that gave it to them was lost", async () => {
    using folder = migrationFolder();
    folder.write("cql", { "0001_more": more });
    let lost = 0;
    const connect = connectThrough(async (request, cql) => {
      const answer = await request();
      if (lost > 0 || !cql.startsWith("INSERT INTO msgr_migration_lock")) return answer;
      lost += 1;
      throw new StoreError("cassandra", "unreachable", "no answer", "none");
    });
    const waitedFor: unknown[] = [];
    const observer = { ...upDefaults.observer, waiting: (_kind: unknown, holder: unknown) => waitedFor.push(holder) };
    const config = freshConfig();
    const applied = await runUp(async () => openCql(config, { connect }), folder, { timeoutMs: 0, observer });
    expect([applied, lost, waitedFor]).toEqual([["0001_more"], 1, []]);
  });

  it("stop before the next statement when the lock went to another runner, and write nothing any more", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("cql", { "0001_things": things });
    const sent: string[] = [];
    await usingStore(
      async () => openCql(config),
      async (other) => {
        await other.prepare();
        const connect = connectThrough(async (request, cql) => {
          const answer = await request();
          sent.push(cql);
          if (cql.startsWith("CREATE TABLE IF NOT EXISTS things")) {
            // This runner was asleep for so long that its lock row has expired.
            const holder = await other.readHolder();
            expect(await other.breakLock(holder?.id ?? "")).toBe(true);
            await other.acquire(upDefaults);
          }
          return answer;
        });
        await expect(runUp(async () => openCql(config, { connect }), folder)).rejects.toMatchObject({
          code: "lock_lost",
        });
        expect(sent.filter((cql) => cql.startsWith("ALTER"))).toEqual([]);
        const [entry] = await other.readJournal();
        expect([entry?.finishedAt, entry?.statementsDone.length]).toEqual([undefined, 0]);
        // It must not have given back the lock of the other one.
        expect(await other.readHolder()).toBeDefined();
      },
    );
  });

  it("keep the lock as long as they run, and notice its loss within a heartbeat", async () => {
    const config = freshConfig();
    await usingStore(
      async () => openCql(config, { lockTtlMs: 5_000 }),
      async (store) => {
        await store.prepare();
        const startedMs = performance.now();
        const lock = await store.acquire(upDefaults);
        // Longer than the row lives without a heartbeat: a second runner keeps being refused.
        while (performance.now() - startedMs < 6_000) {
          await expect(store.acquire({ ...upDefaults, timeoutMs: 500 })).rejects.toMatchObject({ code: "locked" });
        }
        const lost = new Promise((resolve) => lock.lost.addEventListener("abort", resolve));
        expect(await store.breakLock((await store.readHolder())?.id ?? "")).toBe(true);
        await lost;
        expect(lock.lost.reason).toBeInstanceOf(MigrateError);
        await lock.release();
      },
    );
  });

  it("give the lock to the next runner once the row of a dead one has expired", async () => {
    const config = freshConfig();
    await usingStore(
      async () => openCql(config),
      async (store) => {
        await store.prepare();
        const dead = await openCql(config, { lockTtlMs: 2_000 });
        await dead.acquire(upDefaults);
        // Its heartbeats go nowhere from here on.
        await dead.close();
        const lock = await store.acquire(upDefaults);
        expect(lock.lost.aborted).toBe(false);
        await lock.release();
      },
    );
  });

  it("refuse an edited file with the difference, until it is taken by repair", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    folder.write("cql", { "0001_more": more });
    await runUp(async () => openCql(config), folder);
    folder.write("cql", { "0001_more": more.replace("-- More.", "-- Less.") });
    await expect(runUp(async () => openCql(config), folder)).rejects.toMatchObject({
      code: "changed",
      message: expect.stringMatching(
        /^cql\/0001_more\.cql .* by test@here\/1\):\n.*\n- -- More\.\n\+ -- Less\.$/,
      ) as string,
    });
    await usingStore(
      async () => openCql(config),
      async (store) => {
        const migrations = await readMigrations(folder.path, "cql");
        expect(await changedMigrations(store, migrations)).toHaveLength(1);
        await repair(store, migrations, 1, upDefaults);
        expect(await changedMigrations(store, migrations)).toEqual([]);
        expect((await store.readJournal())[0]).toMatchObject({ repairedBy: "test@here/1" });
        await expect(repair(store, migrations, 1, upDefaults)).rejects.toMatchObject({ code: "usage" });
      },
    );
    expect(await runUp(async () => openCql(config), folder)).toEqual([]);
  });

  it("refuse a schema that is newer than they are", async () => {
    using both = migrationFolder();
    using one = migrationFolder();
    const config = freshConfig();
    both.write("cql", { "0001_things": things, "0002_more": more });
    one.write("cql", { "0001_things": things });
    await runUp(async () => openCql(config), both);
    await expect(runUp(async () => openCql(config), one)).rejects.toMatchObject({ code: "newer" });
  });

  it("fail when what they promise does not hold, and say so again until it does", async () => {
    using folder = migrationFolder();
    const config = freshConfig();
    const wrong = `${more}-- verify\nSELECT colour FROM more LIMIT 1;\n`;
    folder.write("cql", { "0001_more": wrong });
    await expect(runUp(async () => openCql(config), folder)).rejects.toMatchObject({ code: "verify_failed" });
    await expect(runUp(async () => openCql(config), folder)).rejects.toThrow(/^cql\/0001_more\.cql:4:1: .*colour/);
    folder.write("cql", { "0001_more": wrong.replace("colour", "id") });
    expect(await runUp(async () => openCql(config), folder)).toEqual(["0001_more"]);
  });

  it("say which address does not answer, and which data centre is not there", async () => {
    await expect(openCql(realStoreConfig({ "cassandra.contact_points": "127.0.0.1:1" }))).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("127.0.0.1:1") as string,
    });
    await expect(openCql(realStoreConfig({ "cassandra.datacenter": "moon" }))).rejects.toMatchObject({
      message: expect.stringContaining("no data centre moon") as string,
    });
  });
});
