import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startRelay, type Relay } from "./relay.ts";

const unavailable = expect.objectContaining({ name: "WireError", code: "store_unavailable" });
const timeoutMs = 500;

/** Until `holds`, giving everything else its turn. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setImmediate();
}

describeOn(["postgres"], "PostgreSQL away", () => {
  let database: TestDatabase;
  let relay: Relay;
  let postgres: Postgres;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    const url = new URL(database.options.url);
    relay = await startRelay(url.hostname, Number(url.port));
    url.port = String(relay.port);
    postgres = await connectPostgres({ ...database.options, url: url.href, connectionsMax: 4, timeoutMs });
  });

  afterEach(async () => {
    await postgres.close();
    await relay[Symbol.asyncDispose]();
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
    await relay.down();
    await until(async () => !(await isServed()) && postgres.lost());
    const started = performance.now();
    for (let count = 0; count < 500; count++) await expect(ask()).rejects.toEqual(unavailable);
    // Far below a time-out each: nobody waits for a server that is known to be away.
    expect(performance.now() - started).toBeLessThan(500 * timeoutMs * 0.1);
    await relay.up();
    // Asking whether it is lost is enough to find out that it no longer is.
    await until(() => !postgres.lost());
    await until(isServed);
  });

  test("a network that swallows everything: each call ends in time, then calls end at once, and it recovers", async () => {
    await Promise.all(Array.from({ length: 4 }, ask));
    relay.freeze();
    const started = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => expect(ask()).rejects.toEqual(unavailable)));
    const took = performance.now() - started;
    expect(took).toBeGreaterThanOrEqual(timeoutMs);
    expect(took).toBeLessThan(timeoutMs + 5_000);
    expect(postgres.lost()).toBe(true);
    const again = performance.now();
    await expect(ask()).rejects.toEqual(unavailable);
    expect(performance.now() - again).toBeLessThan(timeoutMs);
    relay.thaw();
    await until(isServed);
    expect(postgres.lost()).toBe(false);
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
