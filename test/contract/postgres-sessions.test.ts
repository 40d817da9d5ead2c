import { createPostgresSessions } from "../../src/stores/postgres/sessions.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { postgresHarnesses } from "./postgres-harness.ts";
import { describeSessions } from "./sessions.contract.ts";

describeOn(["postgres"], "sessions", () => {
  const harness = postgresHarnesses();
  describeSessions("postgres", harness(createPostgresSessions));
});
