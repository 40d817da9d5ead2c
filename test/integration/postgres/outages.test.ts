import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { GroupChangeDraft } from "../../../src/core/ports/groups.ts";
import { connectPostgres, type PostgresOptions } from "../../../src/stores/postgres/connect.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresGroups } from "../../../src/stores/postgres/groups.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startTcpProxy, type TcpProxy } from "../../../src/bench/faults/tcp-proxy.ts";

const unavailable = expect.objectContaining({ name: "WireError", code: "store_unavailable" });
/** Long enough for a busy machine to connect and to answer what can be answered; what tells apart is compared with it. */
const timeoutMs = 5_000;

/** Until `holds`, giving everything else its turn. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setImmediate();
}

describeOn(["postgres"], "PostgreSQL away", () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let through: PostgresOptions;
  let postgres: Postgres;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    const url = new URL(database.options.url);
    proxy = await startTcpProxy(url.host);
    url.host = proxy.address;
    through = { ...database.options, url: url.href, connectionsMax: 4 };
    postgres = await connectPostgres({ ...through, timeoutMs });
  });

  afterEach(async () => {
    await postgres.close();
    await proxy[Symbol.asyncDispose]();
  });

  afterAll(() => database[Symbol.asyncDispose]());

  const ask = () => createPostgresUsers(postgres).byId(newId());
  const isServed = async () => {
    try {
      await ask();
      return true;
    } catch (error) {
      expect(error).toEqual(unavailable);
      return false;
    }
  };

  test("a server that is gone is refused at once, known as lost, and found again by itself when it is back", async () => {
    await ask();
    expect(postgres.lost()).toBe(false);
    proxy.refuse(true);
    proxy.cut();
    await until(async () => !(await isServed()) && postgres.lost());
    const started = performance.now();
    for (let count = 0; count < 500; count++) await expect(ask()).rejects.toEqual(unavailable);
    // Far below a time-out each: nobody waits for a server that is known to be away.
    expect(performance.now() - started).toBeLessThan(500 * timeoutMs * 0.01);
    proxy.refuse(false);
    // Asking whether it is lost is enough to find out that it no longer is.
    await until(() => !postgres.lost());
    await until(isServed);
  });

  test("a network that swallows everything: each call ends in time, then calls end at once, and it recovers", async () => {
    await Promise.all(Array.from({ length: 4 }, ask));
    proxy.hold("toServer");
    const started = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => expect(ask()).rejects.toEqual(unavailable)));
    const took = performance.now() - started;
    expect(took).toBeGreaterThanOrEqual(timeoutMs);
    expect(took).toBeLessThan(timeoutMs + 15_000);
    expect(postgres.lost()).toBe(true);
    const again = performance.now();
    for (let count = 0; count < 50; count++) await expect(ask()).rejects.toEqual(unavailable);
    expect(performance.now() - again).toBeLessThan(50 * timeoutMs * 0.1);
    proxy.release();
    await until(isServed);
    // One that was asked before may still fail.
    await until(() => !postgres.lost());
  });

  test("a change whose answer is lost is refused as unavailable, and found done when it is asked for again", async () => {
    const patient = await connectPostgres(through);
    const groups = createPostgresGroups(patient);
    const draft: GroupChangeDraft = {
      groupId: newId(),
      messageId: newId(),
      since: 0,
      actorId: newId(),
      actorDevice: 1,
      kind: "create",
      name: "Lost answer",
      userIds: [newId()],
      at: 1,
      expectedVersion: 0,
    };
    const isThere = async () => {
      const { rows } = await database.admin.query("SELECT FROM groups WHERE group_id = $1", [draft.groupId]);
      return rows.length === 1;
    };
    // Statement after statement is answered, until the one that commits has been done and its answer is held.
    let isHeld = false;
    const committing = groups.commit(draft).catch((error: unknown) => error);
    while (!isHeld) {
      proxy.hold("toClient");
      await proxy.whenHeld("toClient");
      isHeld = await isThere();
      if (!isHeld) proxy.release();
    }
    proxy.cut();
    expect(await committing).toEqual(unavailable);
    proxy.release();
    expect(await groups.commit(draft)).toMatchObject({ outcome: "repeated", change: { version: 1, seq: 0 } });
    expect(await groups.pending(draft.groupId, 10)).toHaveLength(1);
    await patient.close();
  });

  test("closing waits for what is under way", async () => {
    const closing = await connectPostgres({ ...database.options, connectionsMax: 1 });
    const users = createPostgresUsers(closing);
    const asked = [users.byId(newId()), users.byId(newId())];
    await asked[0];
    const closed = closing.close();
    expect(await Promise.allSettled(asked)).toHaveLength(2);
    await closed;
    await expect(users.byId(newId())).rejects.toEqual(unavailable);
  });
});
