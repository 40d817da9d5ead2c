import { createPostgresMediaRows } from "../../src/stores/postgres/media-rows.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { describeMediaRows } from "./media-rows.contract.ts";
import { postgresHarnesses } from "./postgres-harness.ts";

describeOn(["postgres"], "media rows", () => {
  const harness = postgresHarnesses();
  describeMediaRows("postgres", harness(createPostgresMediaRows));
});
