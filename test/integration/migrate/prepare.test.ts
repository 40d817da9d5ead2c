import { afterAll, beforeAll, expect, it } from "vitest";
import { pendingMigrations } from "../../../src/migrate/pending.ts";
import { dropCassandra, dropPostgres, prepareCassandra, preparePostgres } from "../../helpers/migrated-stores.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";

describeOn(["cassandra", "postgres"], "the migrations of this version", () => {
  const config = realStoreConfig();

  beforeAll(async () => {
    await Promise.all([prepareCassandra(config), preparePostgres(config)]);
  });
  afterAll(async () => {
    await Promise.all([dropCassandra(config), dropPostgres(config)]);
  });

  it("leave nothing pending, and running them again does nothing", async () => {
    expect(await pendingMigrations(config)).toEqual({ cql: [], sql: [], newer: [] });
    await Promise.all([prepareCassandra(config), preparePostgres(config)]);
    expect(await pendingMigrations(config)).toEqual({ cql: [], sql: [], newer: [] });
  });

  it("are all pending where nothing was ever made", async () => {
    const { cql, sql, newer } = await pendingMigrations(realStoreConfig());
    expect([cql[0], sql[0], newer]).toEqual([
      expect.stringMatching(/^0001_/) as string,
      expect.stringMatching(/^0001_/) as string,
      [],
    ]);
  });
});
