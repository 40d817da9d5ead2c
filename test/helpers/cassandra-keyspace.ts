import { afterAll, beforeAll } from "vitest";
import type { Config } from "../../src/server/config/config-schema.ts";
import type { CassandraOptions } from "../../src/stores/cassandra/connect.ts";
import { dropCassandra, prepareCassandra } from "./migrated-stores.ts";
import { realStoreConfig } from "./real-stores.ts";

/** A keyspace of the calling suite's own, migrated before its tests and dropped after them. */
export function ownKeyspace(): Config {
  const config = realStoreConfig();
  beforeAll(() => prepareCassandra(config), 180_000);
  afterAll(() => dropCassandra(config), 180_000);
  return config;
}

/** What `connectCassandra` takes, from a configuration. */
export function cassandraOptions({ cassandra }: Config, over: Partial<CassandraOptions> = {}): CassandraOptions {
  const { contact_points, datacenter, keyspace, tls, username, password, in_flight_max, timeout_ms } = cassandra;
  return {
    contactPoints: contact_points,
    datacenter,
    keyspace,
    tls,
    username,
    password,
    inFlightMax: in_flight_max,
    timeoutMs: timeout_ms,
    ...over,
  };
}
