import { createCassandraConversationLists } from "../../src/stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../src/stores/cassandra/message-log.ts";
import { createCassandraReceipts } from "../../src/stores/cassandra/receipts.ts";
import { ownKeyspace } from "../helpers/cassandra-keyspace.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { cassandraHarness } from "./cassandra-environment.ts";
import { describeConversationLists } from "./conversation-lists.contract.ts";
import { describeMessageLog } from "./message-log.contract.ts";
import { describeReceipts } from "./receipts.contract.ts";

describeOn(["cassandra"], "cassandra", () => {
  const config = ownKeyspace();
  describeMessageLog(
    "cassandra",
    cassandraHarness(config, (session) => ({
      log: createCassandraMessageLog(session, { bucketRows: 4 }),
      lists: createCassandraConversationLists(session),
      receipts: createCassandraReceipts(session),
    })),
  );
  describeConversationLists("cassandra", cassandraHarness(config, createCassandraConversationLists));
  describeReceipts("cassandra", cassandraHarness(config, createCassandraReceipts));
});
