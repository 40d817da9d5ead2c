import type { Config } from "../../src/server/config/config-schema.ts";
import { connectCassandra } from "../../src/stores/cassandra/connect.ts";
import type { CassandraSession } from "../../src/stores/cassandra/session.ts";
import { cassandraOptions } from "../helpers/cassandra-keyspace.ts";
import type { MakeDurableHarness } from "./durable-harness.ts";

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
