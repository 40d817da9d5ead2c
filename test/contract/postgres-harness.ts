import { afterAll, beforeAll } from "vitest";
import { connectPostgres } from "../../src/stores/postgres/connect.ts";
import type { Postgres } from "../../src/stores/postgres/postgres.ts";
import { createTestDatabase, type TestDatabase } from "../helpers/postgres-database.ts";
import type { DurableHarness, MakeDurableHarness } from "./durable-harness.ts";

/**
 * To be called in a suite: harnesses of stores on one database of that suite, emptied for each, since tests of a file run
 * one after the other.
 */
export function postgresHarnesses(): <Store>(create: (postgres: Postgres) => Store) => MakeDurableHarness<Store> {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  return (create) => async (): Promise<DurableHarness<ReturnType<typeof create>>> => {
    await database.empty();
    let postgres = await connectPostgres(database.options);
    return {
      store: create(postgres),
      async reopen() {
        await postgres.close();
        postgres = await connectPostgres(database.options);
        return create(postgres);
      },
      [Symbol.asyncDispose]: () => postgres.close(),
    };
  };
}
