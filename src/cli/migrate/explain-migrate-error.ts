import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { MigrateError, type MigrateErrorCode } from "../../migrate/migrate-error.ts";
import { CliError } from "../cli-error.ts";
import type { ExitReason } from "../exit-codes.ts";

const exitsByKind: Readonly<Record<StoreErrorKind, ExitReason>> = {
  unreachable: "unreachable",
  wrong_password: "configuration",
  untrusted: "configuration",
  wrong_transport: "configuration",
  wrong_version: "configuration",
  missing_database: "configuration",
  read_only: "failed",
  full: "failed",
  other: "failed",
};

const exitsByCode: Readonly<Record<Exclude<MigrateErrorCode, "interrupted">, ExitReason>> = {
  bad_file: "failed",
  changed: "finding",
  newer: "configuration",
  lint: "finding",
  locked: "locked",
  lock_lost: "locked",
  statement_failed: "failed",
  verify_failed: "failed",
  no_agreement: "unreachable",
  usage: "usage",
};

/** An error of the runner or of a store with its exit; every other as it is. */
export function explainMigrateError(error: unknown, interrupted: AbortSignal): unknown {
  if (error instanceof StoreError) {
    return new CliError(exitsByKind[error.kind], error.message, { fix: error.fix, cause: error });
  }
  if (!(error instanceof MigrateError)) return error;
  const exit = error.code === "interrupted" ? signalReason(interrupted) : exitsByCode[error.code];
  return new CliError(exit, error.message, { fix: error.fix, cause: error });
}

export function signalReason(interrupted: AbortSignal): ExitReason {
  return interrupted.reason === "SIGTERM" ? "terminated" : "interrupted";
}
