import { randomUUID } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { findDrift } from "../../../src/migrate/drift.ts";
import type { SchemaKind } from "../../../src/migrate/migration.ts";
import { readMigrations } from "../../../src/migrate/read-migrations.ts";
import type { SchemaStore } from "../../../src/migrate/schema-store.ts";
import { shadowName } from "../../../src/migrate/shadow-name.ts";
import type { Config } from "../../../src/server/config/config-schema.ts";
import { migrationFolder } from "../../helpers/migration-folder.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";
import { openCql, openSql, runUp, upDefaults, usingStore } from "./fixture.ts";

const files = { "0001_things": "-- Things.\nCREATE TABLE IF NOT EXISTS things (id int PRIMARY KEY);\n" };
const hourMs = 3_600_000;

const kinds: readonly (readonly [SchemaKind, (config: Config) => Promise<SchemaStore>])[] = [
  ["cql", openCql],
  ["sql", openSql],
];

function named(config: Config, name: string): Config {
  const url = new URL(config.postgres.url);
  url.pathname = `/${name}`;
  return {
    ...config,
    cassandra: { ...config.cassandra, keyspace: name, replication_factor: 1 },
    postgres: { ...config.postgres, url: url.href },
  };
}

describeOn(["cassandra", "postgres"], "msgr migrate drift", () => {
  const made: (readonly [(config: Config) => Promise<SchemaStore>, Config])[] = [];
  afterAll(async () => {
    for (const [open, config] of made)
      await usingStore(
        async () => open(config),
        async (store) => store.drop(),
      );
  }, 60_000);

  it.each(kinds)(
    "removes what killed runs left of %s, and nothing of one that goes on",
    async (kind, open) => {
      const config = realStoreConfig();
      const owner = config.cassandra.keyspace;
      const shadow = (agoMs: number): Config =>
        named(config, shadowName(owner, systemClock.nowMs() - agoMs, randomUUID()));
      const [left, young, atWork] = [shadow(hourMs), shadow(0), shadow(hourMs)];
      for (const one of [config, left, young, atWork]) made.push([open, one]);
      using folder = migrationFolder();
      folder.write(kind, files);
      await runUp(async () => open(config), folder);
      for (const one of [left, young, atWork])
        await usingStore(
          async () => open(one),
          async (store) => store.prepare(),
        );
      const migrations = await readMigrations(folder.path, kind);
      await usingStore(
        async () => open(atWork),
        async (running) => {
          const lock = await running.acquire(upDefaults);
          const names = await usingStore(
            async () => open(config),
            async (live) => {
              const choice = {
                settings: config,
                runner: { name: "test@here/1", clock: systemClock },
                nonce: randomUUID(),
              };
              expect(await findDrift(live, migrations, choice, upDefaults)).toEqual([]);
              return live.namesBeside();
            },
          );
          const nameOf = ({ cassandra }: Config) => cassandra.keyspace;
          const wanted = [config, young, atWork].map(nameOf).toSorted();
          expect(names.filter((name) => name.startsWith(owner)).toSorted()).toEqual(wanted);
          await lock.release();
        },
      );
    },
    60_000,
  );
});
