import { createLmdbConversationSettings } from "../../src/stores/lmdb/conversation-settings.ts";
import { createLmdbGroups } from "../../src/stores/lmdb/groups.ts";
import { createLmdbRelations } from "../../src/stores/lmdb/relations.ts";
import { createLmdbSessions } from "../../src/stores/lmdb/sessions.ts";
import { createLmdbUsers } from "../../src/stores/lmdb/users.ts";
import { describeConversationSettings } from "./conversation-settings.contract.ts";
import { describeGroups } from "./groups.contract.ts";
import { lmdbHarness } from "./lmdb-environment.ts";
import { describeRelations } from "./relations.contract.ts";
import { describeSessions } from "./sessions.contract.ts";
import { describeUsers } from "./users.contract.ts";

const limitsMax = { contacts: 4, blocks: 6 };

describeUsers("lmdb", lmdbHarness(createLmdbUsers));
describeConversationSettings("lmdb", lmdbHarness(createLmdbConversationSettings));
describeRelations(
  "lmdb",
  limitsMax,
  lmdbHarness((environment) => createLmdbRelations(environment, limitsMax)),
);
describeGroups("lmdb", lmdbHarness(createLmdbGroups));
describeSessions("lmdb", lmdbHarness(createLmdbSessions));
