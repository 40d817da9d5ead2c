import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/**
 * What the errors of PostgreSQL and of the way to it mean to us. The keys are SQLSTATEs, or their class (the first two
 * characters) where all of a class are alike. What is in no table is a mistake of ours (a constraint, a type, a syntax)
 * and passes unchanged: nobody can mend it by waiting.
 */
const kindsByState: Readonly<Record<string, StoreErrorKind>> = {
  "08": "unreachable",
  "28": "wrong_password",
  "3D000": "missing_database",
  "42P01": "missing_database",
  "42703": "missing_database",
  "25006": "read_only",
  "53000": "unreachable",
  "53100": "full",
  "53200": "full",
  "53300": "unreachable",
  "53400": "unreachable",
  // A statement or a lock took too long.
  "57014": "unreachable",
  "55P03": "unreachable",
  // The server ends, starts, or ended this connection.
  "57P": "unreachable",
  "25P03": "unreachable",
  "25P04": "unreachable",
  // Two transactions in each other's way, again and again.
  "40001": "unreachable",
  "40P01": "unreachable",
  "58": "unreachable",
};

const systemCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "EMFILE",
  "ENFILE",
]);

/** The driver has no codes for these; its sentences begin so. */
const driverSentences: readonly string[] = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Query read timeout",
  "Client has encountered a connection error",
  "Client was closed",
  "Cannot use a pool after calling end",
  "The server does not support SSL connections",
];

const fixes: Readonly<Record<StoreErrorKind, string>> = {
  unreachable: "Check that PostgreSQL runs and that postgres.url is its address: `msgr doctor` asks it.",
  wrong_password: "Check the user in postgres.url and postgres.password (or postgres.password_file).",
  wrong_version: "Run PostgreSQL 16 or newer; `msgr stack up` brings 18.",
  missing_database: "Run `msgr migrate up`.",
  read_only: "Point postgres.url at the primary, or end the read-only mode (default_transaction_read_only).",
  full: "Free or add space on the disk of PostgreSQL.",
  other: "See the log of PostgreSQL.",
};

/** What kind of failure it is; undefined = none of the store's: a mistake of ours. */
function kindOf(error: Error): StoreErrorKind | undefined {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const kind = kindsByState[code] ?? kindsByState[code.slice(0, 3)] ?? kindsByState[code.slice(0, 2)];
  if (kind !== undefined) return kind;
  if (systemCodes.has(code)) return "unreachable";
  // Several addresses of one name, none of which answered.
  if (error instanceof AggregateError) return error.errors.every(isUnreachable) ? "unreachable" : undefined;
  return driverSentences.some((sentence) => error.message.startsWith(sentence)) ? "unreachable" : undefined;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && kindOf(error) === "unreachable";
}

/** A StoreError for what the store or the way to it did; anything else as it is. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const kind = kindOf(error);
  return kind === undefined ? error : postgresError(kind, sentenceOf(kind, error), error);
}

export function postgresError(kind: StoreErrorKind, message: string, cause?: unknown): StoreError {
  return new StoreError("postgres", kind, message, fixes[kind], cause);
}

const sentences: Readonly<Record<StoreErrorKind, string>> = {
  unreachable: "PostgreSQL did not answer",
  wrong_password: "PostgreSQL refused the user or the password",
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
