import type { StoreErrorKind } from "../../base/store-error.ts";
import { isUntrusted, untrustedFix } from "../../base/untrusted.ts";

/**
 * SQLSTATE (PostgreSQL, appendix A), or its class (two characters) or the first three where all are alike → what is wrong
 * with the server or the way to it, whatever was asked. Servers and `msgr migrate` agree on these; what a statement was
 * refused for means different things to them (errors.ts, admin-error.ts).
 */
const kindsByState: Readonly<Record<string, StoreErrorKind>> = {
  "08": "unreachable",
  "28": "wrong_password",
  "3D000": "missing_database",
  "25006": "read_only",
  "53000": "unreachable",
  "53100": "full",
  "53200": "full",
  "53300": "unreachable",
  "53400": "unreachable",
  // The server ends, starts, or ended this connection.
  "57P": "unreachable",
  "25P03": "unreachable",
  "25P04": "unreachable",
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
];

/** The driver's own sentence, too. */
const noTls = "The server does not support SSL connections";

/** In the clear, and the server wants TLS: by its pg_hba.conf, or a pooler's (PgBouncer) setting. */
const clearRefused = /pg_hba\.conf .*(?:no encryption|SSL off)$|^SSL required$/;

/** What an operator hears of a server that turned the connection away before it looked at any password. */
export interface Refusal {
  readonly kind: StoreErrorKind;
  /** Goes on a sentence that begins with the server's name. */
  readonly words: string;
  readonly fix: string;
}

export function refusalOf(error: Error): Refusal | undefined {
  if (clearRefused.test(error.message)) {
    return {
      kind: "wrong_transport",
      words: "refuses connections without TLS",
      fix: "Add ?sslmode=require to postgres.url; or, if the server has no TLS, a line for this user to its pg_hba.conf.",
    };
  }
  if (codeOf(error) !== "28000" || !error.message.includes("pg_hba.conf")) return undefined;
  return {
    kind: "wrong_password",
    words: "does not let this user in from here, whatever the password",
    fix: "Add a line for the user and the database of postgres.url, and this machine's address, to the server's pg_hba.conf.",
  };
}

/** What an operator can do about each kind. */
export const fixes: Readonly<Record<StoreErrorKind, string>> = {
  unreachable:
    "Check postgres.url and that PostgreSQL runs there, with room on its disk; `msgr stack up --only postgres` starts one.",
  wrong_password: "Set postgres.password, or postgres.password_file, to the password of the user in postgres.url.",
  untrusted: untrustedFix,
  wrong_transport: "Take sslmode out of postgres.url, or set `ssl = on` with a certificate in postgresql.conf.",
  missing_database: "`msgr migrate up --only sql` makes it.",
  wrong_version: "Upgrade the server to 16 or newer, or set postgres.url to another one; `msgr stack up` brings 18.",
  read_only: "Set postgres.url to the primary, or end the read-only mode (default_transaction_read_only).",
  full: "Make room on the disk of PostgreSQL, or add some; then try again.",
  other: "Mend what PostgreSQL names; its log says more.",
};

/** SQLSTATE or system code; "" = it has none. */
export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

export function byState<T>(table: Readonly<Record<string, T>>, code: string): T | undefined {
  return table[code] ?? table[code.slice(0, 3)] ?? table[code.slice(0, 2)];
}

/** What is wrong with the server or the way to it; undefined = the error is about what was asked. */
export function serverFailureOf(error: Error): StoreErrorKind | undefined {
  const code = codeOf(error);
  const kind = refusalOf(error)?.kind ?? byState(kindsByState, code);
  if (kind !== undefined) return kind;
  if (isUntrusted(error)) return "untrusted";
  if (error.message.startsWith(noTls)) return "wrong_transport";
  if (systemCodes.has(code)) return "unreachable";
  // Several addresses of one name, none of which answered.
  if (error instanceof AggregateError) return error.errors.every(isUnreachable) ? "unreachable" : undefined;
  return driverSentences.some((sentence) => error.message.startsWith(sentence)) ? "unreachable" : undefined;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && serverFailureOf(error) === "unreachable";
}
