import { StoreError } from "../../base/store-error.ts";

/** Another server process has this one's name, so whatever one of them claimed would be taken for the other's. */
export class NameTakenError extends StoreError {
  constructor(nodeId: string) {
    super(
      "redis",
      "other",
      `Another server process runs under the name "${nodeId}".`,
      "Give each process a node.name of its own, or leave it empty: then it makes one up.",
    );
  }
}
