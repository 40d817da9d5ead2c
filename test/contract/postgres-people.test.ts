import { createPostgresConversationSettings } from "../../src/stores/postgres/conversation-settings.ts";
import { createPostgresUsers } from "../../src/stores/postgres/users.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { describeConversationSettings } from "./conversation-settings.contract.ts";
import { postgresHarnesses } from "./postgres-harness.ts";
import { describeUsers } from "./users.contract.ts";

describeOn(["postgres"], "people", () => {
  const harness = postgresHarnesses();
  describeUsers("postgres", harness(createPostgresUsers));
  describeConversationSettings("postgres", harness(createPostgresConversationSettings));
});
