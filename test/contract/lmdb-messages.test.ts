import { createLmdbConversationLists } from "../../src/stores/lmdb/conversation-lists.ts";
import { createLmdbMessageLog } from "../../src/stores/lmdb/message-log.ts";
import { createLmdbReceipts } from "../../src/stores/lmdb/receipts.ts";
import { describeConversationLists } from "./conversation-lists.contract.ts";
import { lmdbHarness } from "./lmdb-environment.ts";
import { describeMessageLog } from "./message-log.contract.ts";
import { describeReceipts } from "./receipts.contract.ts";

describeMessageLog(
  "lmdb",
  lmdbHarness(
    (environment) => ({
      log: createLmdbMessageLog(environment),
      lists: createLmdbConversationLists(environment),
      receipts: createLmdbReceipts(environment),
    }),
    { bucketRows: 4 },
  ),
);
describeConversationLists("lmdb", lmdbHarness(createLmdbConversationLists));
describeReceipts("lmdb", lmdbHarness(createLmdbReceipts));
