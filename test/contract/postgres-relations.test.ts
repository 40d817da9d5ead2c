import { createPostgresRelations } from "../../src/stores/postgres/relations.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { postgresHarnesses } from "./postgres-harness.ts";
import { describeRelations } from "./relations.contract.ts";

const limitsMax = { contacts: 4, blocks: 6 };

describeOn(["postgres"], "relations", () => {
  const harness = postgresHarnesses();
  describeRelations(
    "postgres",
    limitsMax,
    harness((postgres) => createPostgresRelations(postgres, limitsMax)),
  );
});
