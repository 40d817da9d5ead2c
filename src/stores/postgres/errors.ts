import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { byState, codeOf, fixes, refusalOf, serverFailureOf } from "./failure-kinds.ts";

/**
 * What a statement was refused for and waiting may mend. What is neither here nor in failure-kinds.ts is a mistake of ours
 * (a constraint, a type, a syntax) and passes unchanged: nobody can mend it by waiting.
 */
const kindsOfStatements: Readonly<Record<string, StoreErrorKind>> = {
  "42P01": "missing_database",
  "42703": "missing_database",
  // A statement or a lock took too long.
  "57014": "unreachable",
  "55P03": "unreachable",
  // Two transactions in each other's way, again and again.
  "40001": "unreachable",
  "40P01": "unreachable",
  "58": "unreachable",
};

/** What kind of failure it is; undefined = none of the store's: a mistake of ours. */
function kindOf(error: Error): StoreErrorKind | undefined {
  return byState(kindsOfStatements, codeOf(error)) ?? serverFailureOf(error);
}

/** A StoreError for what the store or the way to it did; anything else as it is. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { kind, words, fix } = refusal;
    return new StoreError("postgres", kind, `PostgreSQL ${words}: ${error.message}`, fix, error);
  }
  const kind = kindOf(error);
  return kind === undefined ? error : postgresError(kind, sentenceOf(kind, error), error);
}

export function postgresError(kind: StoreErrorKind, message: string, cause?: unknown): StoreError {
  return new StoreError("postgres", kind, message, fixes[kind], cause);
}

const sentences: Readonly<Record<StoreErrorKind, string>> = {
  unreachable: "PostgreSQL did not answer",
  wrong_password: "PostgreSQL refused the user or the password",
  untrusted: "PostgreSQL shows a certificate that is not trusted",
  wrong_transport: "PostgreSQL does not speak TLS, and postgres.url asks for it",
  wrong_version: "PostgreSQL is too old",
  missing_database: "PostgreSQL has no such database or table",
  read_only: "PostgreSQL is read-only",
  full: "PostgreSQL has no space left",
  other: "PostgreSQL failed",
};

function sentenceOf(kind: StoreErrorKind, error: Error): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const detail = inner instanceof Error ? inner.message : "";
  return detail === "" ? `${sentences[kind]}.` : `${sentences[kind]}: ${detail}`;
}

/** What a port rejects with. Configuration that went wrong while running (a changed password) is an absent store, too. */
export function portError(error: unknown): unknown {
  const translated = translateError(error);
  if (!(translated instanceof StoreError)) return translated;
  const isFull = translated.kind === "full" || translated.kind === "read_only";
  return new WireError(isFull ? "storage_full" : "store_unavailable", { cause: translated });
}

/** Of two transactions in each other's way this one was undone: nothing of it is there, and it can simply run again. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "40001" || error.code === "40P01");
}

/** Whether the connection still stands after the error: the server answered, and goes on listening. */
export function keepsConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !("severity" in error)) return false;
  return error.severity === "ERROR";
}
