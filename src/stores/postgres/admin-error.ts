import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { codeOf, fixes, refusalOf, serverFailureOf } from "./failure-kinds.ts";

/** What a statement is refused for is `other`: whoever administers wants to read it. */
function kindOf(error: Error): StoreErrorKind {
  // The driver's own words when the server asks for a password and there is none.
  const otherwise = /password must be a string|no password/i.test(error.message) ? "wrong_password" : "other";
  return serverFailureOf(error) ?? otherwise;
}

/** What the driver threw, in words that name the place, never the password. */
export function postgresAdminError(cause: unknown, url: URL): StoreError {
  if (cause instanceof StoreError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  // A connection that was tried on several addresses fails with all of their errors and no message.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const place = `PostgreSQL on ${url.host}`;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { kind, words, fix } = refusal;
    return new StoreError("postgres", kind, `${place} ${words}: ${error.message}.`, fix, cause);
  }
  const kind = kindOf(inner instanceof Error ? inner : error);
  const why = error.message !== "" ? error.message : inner instanceof Error ? inner.message : codeOf(error);
  const user = decodeURIComponent(url.username);
  const database = decodeURIComponent(url.pathname.slice(1));
  const messages: Readonly<Record<StoreErrorKind, string>> = {
    unreachable: `${place} does not answer: ${why}.`,
    wrong_password: `${place} does not let user ${user} in: ${why}.`,
    untrusted: `${place} shows a certificate that is not trusted: ${why}.`,
    wrong_transport: `${place} does not speak TLS, and postgres.url asks for it.`,
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
  const code = error instanceof StoreError ? (error.cause as { code?: string } | undefined)?.code : undefined;
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Where in the statement the server saw the mistake: characters from 0; undefined when it did not say. */
export function errorPositionOf(error: unknown): number | undefined {
  const position =
    error instanceof StoreError ? (error.cause as { position?: string } | undefined)?.position : undefined;
  return position === undefined ? undefined : Number(position) - 1;
}
