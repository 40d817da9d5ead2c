import { afterAll, beforeAll } from "vitest";
import type { Config } from "../../src/server/config/config-schema.ts";
import { connectCassandra, type CassandraOptions } from "../../src/stores/cassandra/connect.ts";
import type { CassandraSession } from "../../src/stores/cassandra/session.ts";
import { dropCassandra, prepareCassandra } from "../helpers/migrated-stores.ts";
import { realStoreConfig } from "../helpers/real-stores.ts";
import type { MakeDurableHarness } from "./durable-harness.ts";

/** A keyspace of the calling suite's own, migrated before its tests and dropped after them. */
export function ownKeyspace(): Config {
  const config = realStoreConfig();
  beforeAll(() => prepareCassandra(config), 60_000);
  afterAll(() => dropCassandra(config), 60_000);
  return config;
}

/** What `connectCassandra` takes, from a configuration. */
export function cassandraOptions({ cassandra }: Config): CassandraOptions {
  const { contact_points, datacenter, keyspace, username, password, in_flight_max, timeout_ms } = cassandra;
  return {
    contactPoints: contact_points,
    datacenter,
    keyspace,
    username,
    password,
    inFlightMax: in_flight_max,
    timeoutMs: timeout_ms,
  };
}

/** Harnesses of a store on the keyspace of `config`: reopening is a new session, as the next process has it. */
export function cassandraHarness<Store>(
  config: Config,
  create: (session: CassandraSession) => Store,
): MakeDurableHarness<Store> {
  return async () => {
    let session = await connectCassandra(cassandraOptions(config));
    return {
      store: create(session),
      async reopen() {
        await session.close();
        session = await connectCassandra(cassandraOptions(config));
        return create(session);
      },
      async [Symbol.asyncDispose]() {
        await session.close();
      },
    };
  };
}
