import { createPostgresGroups } from "../../src/stores/postgres/groups.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { describeGroups } from "./groups.contract.ts";
import { postgresHarnesses } from "./postgres-harness.ts";

describeOn(["postgres"], "groups", () => {
  const harness = postgresHarnesses();
  describeGroups("postgres", harness(createPostgresGroups));
});
