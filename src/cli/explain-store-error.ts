import { StoreError } from "../base/store-error.ts";
import { CliError } from "./cli-error.ts";
import type { ExitReason } from "./exit-codes.ts";

const exits: Readonly<Record<StoreError["kind"], ExitReason>> = {
  unreachable: "unreachable",
  wrong_password: "configuration",
  untrusted: "configuration",
  wrong_transport: "configuration",
  wrong_version: "configuration",
  missing_database: "finding",
  read_only: "failed",
  full: "failed",
  other: "failed",
};

/** A store that cannot be used, with the exit and the fix; anything else as it is. */
export function explainStoreError(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  return new CliError(exits[error.kind], error.message, { fix: error.fix, cause: error });
}
