import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StoreError } from "../../../src/base/store-error.ts";
import { connectPostgres, type PostgresOptions } from "../../../src/stores/postgres/connect.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

async function failure(options: PostgresOptions): Promise<StoreError> {
  const outcome = await connectPostgres(options).then(
    (postgres) => postgres.close(),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(StoreError);
  return outcome as StoreError;
}

function changed(url: string, change: (address: URL) => void): string {
  const address = new URL(url);
  change(address);
  return address.href;
}

describeOn(["postgres"], "connecting to PostgreSQL", () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database[Symbol.asyncDispose]());

  test("nobody there is unreachable, told at once", async () => {
    const url = changed(database.options.url, (address) => (address.port = "1"));
    const error = await failure({ ...database.options, url });
    expect(error).toMatchObject({ store: "postgres", kind: "unreachable" });
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("somebody who never answers is unreachable after the time-out", async () => {
    await using silent = await silentServer();
    const url = changed(database.options.url, (address) => (address.port = String(silent.port)));
    const started = performance.now();
    expect(await failure({ ...database.options, url, timeoutMs: 200 })).toMatchObject({ kind: "unreachable" });
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("a wrong password is called so, and is not in the message", async () => {
    const error = await failure({ ...database.options, password: "a-wrong-secret" });
    expect(error).toMatchObject({ kind: "wrong_password" });
    expect(`${error.message} ${error.fix}`).not.toContain("a-wrong-secret");
    expect(error.fix).toContain("postgres.password");
  });

  test("no password where one is needed is a wrong one, whatever the environment holds", async () => {
    expect(await failure({ ...database.options, password: undefined })).toMatchObject({ kind: "wrong_password" });
  });

  test("a database that does not exist, and one without tables, need a migration", async () => {
    const url = changed(database.options.url, (address) => (address.pathname = "/t_nobody_made_this"));
    const error = await failure({ ...database.options, url });
    expect(error).toMatchObject({ kind: "missing_database" });
    expect(error.fix).toContain("msgr migrate up");
    await using empty = await createTestDatabase({ schema: false });
    expect(await failure(empty.options)).toMatchObject({ kind: "missing_database" });
  });

  test("a database with a part of the tables says which are missing", async () => {
    await using half = await createTestDatabase();
    await half.admin.query("DROP TABLE media, conversation_settings");
    const error = await failure(half.options);
    expect(error).toMatchObject({ kind: "missing_database" });
    expect(error.message).toContain("conversation_settings, media");
  });

  test("a read-only database is refused", async () => {
    await using readOnly = await createTestDatabase();
    await readOnly.admin.query(`ALTER DATABASE ${readOnly.name} SET default_transaction_read_only = on`);
    expect(await failure(readOnly.options)).toMatchObject({ kind: "read_only" });
  });

  test("an address that cannot be used says why", async () => {
    const url = changed(database.options.url, (address) => address.searchParams.set("sslmode", "perhaps"));
    expect((await failure({ ...database.options, url })).message).toContain("sslmode");
  });
});

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
