import cassandra from "cassandra-driver";
import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { anySpeaksTls, isNotTls } from "../../base/speaks-tls.ts";
import { isUntrusted, untrustedFix } from "../../base/untrusted.ts";
import { judgeDriverError } from "./driver-errors.ts";

interface Place {
  readonly contactPoints: string;
  readonly datacenter: string;
  readonly keyspace?: string;
  readonly username: string;
}

const fixes: Readonly<Record<StoreErrorKind, string>> = {
  unreachable:
    "Check cassandra.contact_points and that Cassandra runs there, with room on its disk; `msgr stack up --only cassandra` starts one.",
  wrong_password: "Set cassandra.username and cassandra.password (or cassandra.password_file).",
  untrusted: untrustedFix,
  wrong_transport: "Set cassandra.tls to false, or client_encryption_options in the nodes' cassandra.yaml.",
  missing_database: "`msgr migrate up --only cql` makes it.",
  wrong_version: "Upgrade the nodes, or set cassandra.contact_points to others.",
  read_only: "Let the user of cassandra.username change the schema, or use one that may.",
  full: "Make room on the nodes' disks, or add nodes; then try again.",
  other: "Mend what Cassandra names, then run it again.",
};

/** What the nodes said, one reason each; the driver hides them behind `All host(s) tried for query failed`. */
function reasonsOf(error: Error): readonly Error[] {
  const { innerErrors } = error as { innerErrors?: Readonly<Record<string, Error>> };
  const inner = Object.values(innerErrors ?? {}).filter((reason) => reason instanceof Error);
  return inner.length === 0 ? [error] : inner.flatMap(reasonsOf);
}

function kindOf(error: Error): StoreErrorKind {
  const { errors, types } = cassandra;
  if (isUntrusted(error)) return "untrusted";
  if (isNotTls(error)) return "wrong_transport";
  if (error instanceof errors.AuthenticationError) return "wrong_password";
  if (error instanceof errors.OperationTimedOutError || error instanceof errors.NoHostAvailableError)
    return "unreachable";
  if (error instanceof errors.ResponseError) {
    const codes: Readonly<Record<keyof typeof types.responseErrorCodes, number>> = types.responseErrorCodes;
    if (error.code === codes.badCredentials) return "wrong_password";
    if (error.code === codes.unauthorized) return "read_only";
    if (judgeDriverError(error) === "full") return "full";
    if (/^keyspace '?"?\w+"?'? does not exist/i.test(error.message)) return "missing_database";
    const answered: readonly number[] = [codes.unavailableException, codes.overloaded, codes.isBootstrapping];
    const timedOut: readonly number[] = [codes.writeTimeout, codes.readTimeout, codes.writeFailure, codes.readFailure];
    return answered.includes(error.code) || timedOut.includes(error.code) ? "unreachable" : "other";
  }
  const { code = "" } = error as { code?: string };
  if (/^E(?:CONN|NOTFOUND|AI_|HOST|NET|PIPE|TIMEDOUT)/.test(code)) return "unreachable";
  return /ECONNREFUSED|timed? ?out|socket was closed|Connection/i.test(error.message) ? "unreachable" : "other";
}

/** What the driver threw, in words that name the place, never the password. */
export function cassandraAdminError(cause: unknown, place: Place): StoreError {
  if (cause instanceof StoreError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const reasons = reasonsOf(error);
  const kinds = reasons.map(kindOf);
  const kind = kinds.find((one) => one !== "unreachable") ?? "unreachable";
  const where = `Cassandra on ${place.contactPoints}`;
  const why = [...new Set(reasons.map(({ message }) => message.replace(/\.$/, "")))].join("; ");
  if (reasons.some((reason) => reason.message.startsWith("localDataCenter was configured"))) {
    const fix = "Set cassandra.datacenter to the name that `nodetool status` prints.";
    return new StoreError(
      "cassandra",
      "missing_database",
      `${where} has no data centre ${place.datacenter}: ${why}.`,
      fix,
      cause,
    );
  }
  const messages: Readonly<Record<StoreErrorKind, string>> = {
    unreachable: `${where} does not answer: ${why}.`,
    wrong_password: `${where} does not let user ${place.username === "" ? "(none)" : place.username} in: ${why}.`,
    wrong_transport: `${where} does not speak TLS, and cassandra.tls is true.`,
    untrusted: `${where} shows a certificate that is not trusted: ${why}.`,
    missing_database: `${where} has no keyspace ${place.keyspace ?? ""}.`,
    wrong_version: `${where}: ${why}.`,
    read_only: `${where} does not allow it: ${why}.`,
    full: `${where} is full: ${why}.`,
    other: `${where}: ${why}.`,
  };
  return new StoreError("cassandra", kind, messages[kind], fixes[kind], cause);
}

/** The longest that is looked for TLS where nothing answered in the clear. */
const lookForTlsMs = 2_000;

/** A node that wants TLS hangs up on whoever speaks in the clear, or says nothing: that is found out by asking. */
export async function explainRefusal(
  error: StoreError,
  {
    contactPoints,
    tls,
    timeoutMs,
  }: { readonly contactPoints: string; readonly tls: boolean; readonly timeoutMs: number },
): Promise<StoreError> {
  if (tls || (error.kind !== "unreachable" && error.kind !== "other")) return error;
  if (!(await anySpeaksTls(contactPoints, Math.min(timeoutMs, lookForTlsMs)))) return error;
  const message = `Cassandra on ${contactPoints} speaks TLS, and cassandra.tls is false.`;
  return new StoreError("cassandra", "wrong_transport", message, "Set cassandra.tls to true.", error);
}

/** Cassandra's `line 1:7 …` in a syntax error of one statement, both counted from 1; undefined when it did not say. */
export function errorPlaceOf(error: unknown): { readonly line: number; readonly column: number } | undefined {
  const match = error instanceof StoreError ? /line (\d+):(\d+)/.exec(error.message) : null;
  return match === null ? undefined : { line: Number(match[1]), column: Number(match[2]) + 1 };
}
