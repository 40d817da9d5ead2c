import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createDeferred } from "../../../src/base/deferred.ts";
import type { Logger } from "../../../src/base/logger.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { connectPostgres, type PostgresOptions } from "../../../src/stores/postgres/connect.ts";
import { createPostgresConversationSettings } from "../../../src/stores/postgres/conversation-settings.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { statement } from "../../../src/stores/postgres/statement.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

const touchUser = statement("test_touch", "UPDATE users SET last_login_at = last_login_at + 1 WHERE user_id = $1");
const ownPid = statement("test_pid", "SELECT pg_backend_pid() AS pid");

const unavailable = expect.objectContaining({ name: "WireError", code: "store_unavailable" });
const full = expect.objectContaining({ name: "WireError", code: "storage_full" });

/** Time-outs that are meant to pass; long enough for a busy machine to connect in. */
const shortMs = 3_000;

const newUser = (handle = `u${newId().replaceAll("-", "").slice(2)}`) => ({
  userId: newId(),
  handle,
  displayName: "U",
  createdAt: 1,
});

describeOn(["postgres"], "PostgreSQL in trouble", () => {
  let database: TestDatabase;
  const open: Postgres[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await database.admin.query("ROLLBACK");
    for (const postgres of open.splice(0)) await postgres.close();
  });

  afterAll(() => database[Symbol.asyncDispose]());

  async function connect(over: Partial<PostgresOptions> = {}, log?: Logger): Promise<Postgres> {
    const postgres = await connectPostgres({ ...database.options, ...over }, log);
    open.push(postgres);
    return postgres;
  }

  /** Until the owner's ROLLBACK, which comes after each test at the latest, every statement on users waits. */
  async function lockUsers(): Promise<void> {
    await database.admin.query("BEGIN");
    await database.admin.query("LOCK TABLE users");
  }

  /** Processes of the adapter in the server; with `waiting`, those that wait for a lock. */
  async function backends(waiting = false): Promise<readonly number[]> {
    const { rows } = await database.admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'msgr' AND ($1 = false OR wait_event_type = 'Lock')`,
      [waiting],
    );
    return rows.map(({ pid }) => pid);
  }

  async function waitingBackend(): Promise<number> {
    for (;;) {
      const [pid] = await backends(true);
      if (pid !== undefined) return pid;
    }
  }

  async function terminateAll(): Promise<void> {
    for (const pid of await backends()) await database.admin.query("SELECT pg_terminate_backend($1, 30000)", [pid]);
  }

  test("a statement that takes too long is given up, and its connection goes on", async () => {
    const postgres = await connect({ connectionsMax: 1, timeoutMs: shortMs });
    const users = createPostgresUsers(postgres);
    for (;;) {
      expect(await users.byId(newId())).toBeUndefined();
      const before = await backends();
      await lockUsers();
      const refusal = await users.byId(newId()).catch((error: unknown) => error);
      expect(refusal).toEqual(unavailable);
      await database.admin.query("ROLLBACK");
      // The server gives up half a second before the adapter does; on a machine that is busier than that, once more.
      if ((refusal as { cause: { cause: { code?: string } } }).cause.cause.code !== "57014") continue;
      expect((refusal as WireError).cause).toMatchObject({ kind: "unreachable" });
      expect(postgres.lost()).toBe(false);
      expect(await users.byId(newId())).toBeUndefined();
      expect(await backends()).toEqual(before);
      return;
    }
  });

  test("a connection cut in a transaction leaves nothing behind, and the next call has a new one", async () => {
    const postgres = await connect();
    const users = createPostgresUsers(postgres);
    const [first, second] = [newUser("cut.one"), newUser("cut.two")];
    await lockUsers();
    const creating = users.create([first, second]);
    const outcome = creating.catch((error: unknown) => error);
    await database.admin.query("SELECT pg_terminate_backend($1, 30000)", [await waitingBackend()]);
    expect(await outcome).toEqual(unavailable);
    await database.admin.query("ROLLBACK");
    expect(await users.byHandle("cut.one")).toBeUndefined();
    expect(await users.create([first, second])).toEqual([]);
  });

  test("idle connections that the server ends are logged and replaced; the process lives", async () => {
    const closed = createDeferred<void>();
    const log = { warn: () => closed.resolve() } as unknown as Logger;
    const postgres = await connect({}, log);
    expect(await backends()).toHaveLength(1);
    await terminateAll();
    await closed.promise;
    expect(await createPostgresUsers(postgres).byId(newId())).toBeUndefined();
    expect(postgres.lost()).toBe(false);
  });

  test("the server ends every connection under load: what was refused can be asked again, nothing hangs", async () => {
    const postgres = await connect();
    const settings = createPostgresConversationSettings(postgres);
    const user = newId();
    const write = async (): Promise<boolean> => {
      try {
        await settings.write(user, { conversationId: newId(), mutedUntil: 0, pinned: true, archived: false });
        return true;
      } catch (error) {
        expect(error).toEqual(unavailable);
        return false;
      }
    };
    const writers = Array.from({ length: 20 }, async () => {
      let written = 0;
      for (let count = 0; count < 100; count++) if (await write()) written++;
      return written;
    });
    await terminateAll();
    const written = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
    expect(await write()).toBe(true);
    const kept = (await settings.all(user)).length - 1;
    // A write whose answer was lost may have been done.
    expect(kept).toBeGreaterThanOrEqual(written);
    expect(kept).toBeLessThanOrEqual(written + open.length * 10);
  });

  test("more callers than may wait are refused at once; those that wait are served", async () => {
    // All of them one after the other, on a busy machine.
    const postgres = await connect({ connectionsMax: 1, timeoutMs: 50_000 });
    const users = createPostgresUsers(postgres);
    await lockUsers();
    // Not by id: those would travel in one statement.
    const ask = () => users.byHandle("nobody");
    const first = ask();
    await waitingBackend();
    const waiting = Array.from({ length: 1_024 }, ask);
    await expect(ask()).rejects.toEqual(unavailable);
    expect(postgres.lost()).toBe(false);
    await database.admin.query("ROLLBACK");
    expect(new Set(await Promise.all([first, ...waiting]))).toEqual(new Set([undefined]));
  });

  test("a turn that does not come is given up, and says nothing about the database", async () => {
    const postgres = await connect({ connectionsMax: 1, timeoutMs: shortMs });
    const held = createDeferred<void>();
    const begun = createDeferred<void>();
    const holding = postgres.transaction(async (transaction) => {
      await transaction.query(touchUser, [newId()]);
      begun.resolve();
      await held.promise;
    });
    await begun.promise;
    await expect(createPostgresUsers(postgres).byId(newId())).rejects.toEqual(unavailable);
    expect(postgres.lost()).toBe(false);
    held.resolve();
    // On a slow machine the server may have ended it meanwhile.
    await holding.catch(() => undefined);
    expect(await createPostgresUsers(postgres).byId(newId())).toBeUndefined();
  });

  test("a transaction that stands still is ended by the server, and its locks with it", async () => {
    const postgres = await connect({ timeoutMs: shortMs });
    const user = newUser();
    await createPostgresUsers(postgres).create([user]);
    const held = createDeferred<void>();
    const touched = createDeferred<void>();
    const standing = postgres.transaction(async (transaction) => {
      await transaction.query(touchUser, [user.userId]);
      touched.resolve();
      await held.promise;
    });
    const outcome = standing.catch((error: unknown) => error);
    await touched.promise;
    await database.admin.query("UPDATE users SET display_name = 'Owner' WHERE user_id = $1", [user.userId]);
    held.resolve();
    expect(await outcome).toEqual(unavailable);
    const after = await createPostgresUsers(postgres).byId(user.userId);
    expect(after).toMatchObject({ displayName: "Owner", lastLoginAt: 0 });
  });

  test("a read-only database answers reads and refuses writes as full, until it is writable again", async () => {
    const postgres = await connect();
    const users = createPostgresUsers(postgres);
    const user = newUser();
    await users.create([user]);
    await database.admin.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    await terminateAll();
    await eventually(() => users.byId(user.userId));
    await expect(users.create([newUser()])).rejects.toEqual(full);
    await expect(users.update(user.userId, { displayName: "New" }, {})).rejects.toEqual(full);
    expect(await users.byId(user.userId)).toMatchObject({ displayName: "U" });
    expect(postgres.lost()).toBe(false);
    await database.admin.query(`ALTER DATABASE ${database.name} RESET default_transaction_read_only`);
    await terminateAll();
    await eventually(() => users.byId(user.userId));
    expect(await users.create([newUser()])).toEqual([]);
  });

  test("two transactions in each other's way both happen, one of them again", async () => {
    const postgres = await connect();
    const users = createPostgresUsers(postgres);
    const [one, other] = [newUser(), newUser()];
    await users.create([one, other]);
    const met = [createDeferred<void>(), createDeferred<void>()] as const;
    let runs = 0;
    const touchBoth = (own: 0 | 1, first: string, second: string) =>
      postgres.transaction(async (transaction) => {
        runs++;
        await transaction.query(touchUser, [first]);
        met[own].resolve();
        await met[own === 0 ? 1 : 0].promise;
        await transaction.query(touchUser, [second]);
      });
    await Promise.all([touchBoth(0, one.userId, other.userId), touchBoth(1, other.userId, one.userId)]);
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(await users.byId(one.userId)).toMatchObject({ lastLoginAt: 2 });
    expect(await users.byId(other.userId)).toMatchObject({ lastLoginAt: 2 });
  });

  test("a transaction whose work fails is undone, and its connection serves the next caller", async () => {
    const postgres = await connect({ connectionsMax: 1 });
    const user = newUser();
    await createPostgresUsers(postgres).create([user]);
    const work = postgres.transaction(async (transaction) => {
      await transaction.query(touchUser, [user.userId]);
      throw new RangeError("of the work's own");
    });
    await expect(work).rejects.toThrow("of the work's own");
    expect(await createPostgresUsers(postgres).byId(user.userId)).toMatchObject({ lastLoginAt: 0 });
    const abandoned = await postgres.transaction(async (transaction) => {
      const touched = await transaction.query(touchUser, [user.userId]);
      transaction.abandon();
      return touched.count;
    });
    expect(abandoned).toBe(1);
    expect(await createPostgresUsers(postgres).byId(user.userId)).toMatchObject({ lastLoginAt: 0 });
    expect((await postgres.query<{ pid: number }>(ownPid, [])).count).toBe(1);
  });

  test("a mistake of ours is not told as an absent store", async () => {
    const postgres = await connect();
    const user = newUser();
    await createPostgresUsers(postgres).create([user]);
    const again = createPostgresUsers(postgres).create([{ ...user, handle: "another.one" }]);
    await expect(again).rejects.toMatchObject({ code: "23505" });
    await expect(again).rejects.not.toBeInstanceOf(WireError);
  });
});

/** Asks until the pool has noticed that its connections are gone: which call learns it first is not ours to say. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      expect(error).toEqual(unavailable);
      await setImmediate();
    }
  }
}
