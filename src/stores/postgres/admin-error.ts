import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";

interface DriverError {
  readonly code?: string;
  readonly message?: string;
}

/** SQLSTATE → kind (PostgreSQL, appendix A). */
const kindsByState: Readonly<Record<string, StoreErrorKind>> = {
  "28P01": "wrong_password",
  "28000": "wrong_password",
  "3D000": "missing_database",
  "25006": "read_only",
  "53100": "full",
  "57P01": "unreachable",
  "57P02": "unreachable",
  "57P03": "unreachable",
  "08000": "unreachable",
  "08003": "unreachable",
  "08006": "unreachable",
};

const fixes: Readonly<Record<StoreErrorKind, string>> = {
  unreachable: "Check postgres.url and that PostgreSQL runs there; `msgr stack up --only postgres` starts one.",
  wrong_password: "Set postgres.password, or postgres.password_file, to the password of the user in postgres.url.",
  missing_database: "`msgr migrate up --only sql` makes it.",
  wrong_version: "Upgrade the server, or set postgres.url to another one.",
  read_only: "Set postgres.url to the primary: this server takes no writes.",
  full: "Make room on the server's disk, then run it again.",
  other: "Mend what PostgreSQL names, then run it again.",
};

function kindOf({ code = "", message = "" }: DriverError): StoreErrorKind {
  const byState = kindsByState[code];
  if (byState !== undefined) return byState;
  if (/^(?:ECONN|ENOTFOUND|EAI_|EHOST|ENET|EPIPE|ETIMEDOUT|ENOENT)/.test(code)) return "unreachable";
  if (/timeout expired|Connection terminated|not queryable|Query read timeout/i.test(message)) return "unreachable";
  // The driver's own words when the server asks for a password and there is none.
  return /password must be a string|no password/i.test(message) ? "wrong_password" : "other";
}

/** What the driver threw, in words that name the place, never the password. */
export function postgresAdminError(cause: unknown, url: URL): StoreError {
  if (cause instanceof StoreError) return cause;
  const error: DriverError = cause instanceof Error ? cause : { message: String(cause) };
  // A connection that was tried on several addresses fails with all of their errors and no message.
  const inner = cause instanceof AggregateError ? (cause.errors[0] as DriverError | undefined) : undefined;
  const kind = kindOf(inner ?? error);
  const place = `PostgreSQL on ${url.host}`;
  const why = (error.message ?? "") === "" ? (inner?.message ?? error.code ?? "no reason given") : error.message;
  const user = decodeURIComponent(url.username);
  const database = decodeURIComponent(url.pathname.slice(1));
  const messages: Readonly<Record<StoreErrorKind, string>> = {
    unreachable: `${place} does not answer: ${why}.`,
    wrong_password: `${place} does not let user ${user} in: ${why}.`,
    missing_database: `${place} has no database ${database}.`,
    wrong_version: `${place}: ${why}.`,
    read_only: `${place} takes no writes: ${why}.`,
    full: `${place} is full: ${why}.`,
    other: `${place}: ${why}.`,
  };
  return new StoreError("postgres", kind, messages[kind], fixes[kind], cause);
}

/** SQLSTATE of what the server refused; undefined when it was not the server that spoke. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof StoreError ? (error.cause as DriverError | undefined)?.code : undefined;
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Where in the statement the server saw the mistake: characters from 0; undefined when it did not say. */
export function errorPositionOf(error: unknown): number | undefined {
  const position =
    error instanceof StoreError ? (error.cause as { position?: string } | undefined)?.position : undefined;
  return position === undefined ? undefined : Number(position) - 1;
}
