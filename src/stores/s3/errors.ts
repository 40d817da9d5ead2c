import { StoreError, type StoreErrorKind } from "../../base/store-error.ts";
import { isNotTls } from "../../base/speaks-tls.ts";
import { untrustedCodes, untrustedFix } from "../../base/untrusted.ts";
import { WireError } from "../../protocol/wire-errors.ts";

interface Meaning {
  readonly kind: StoreErrorKind;
  readonly message: string;
  readonly fix: string;
}

const wrongKey: Meaning = {
  kind: "wrong_password",
  message: "it refuses the access key",
  fix: "Check s3.access_key_id and s3.secret_access_key.",
};
const notAllowed: Meaning = {
  kind: "wrong_password",
  message: "the access key may not do that",
  fix: "Allow it to read, write and delete objects of the bucket in s3.bucket, and to end multipart uploads.",
};
const noBucket: Meaning = {
  kind: "missing_database",
  message: "the bucket does not exist",
  fix: "Make the bucket that s3.bucket names, or name another one.",
};
const skewed: Meaning = {
  kind: "other",
  message: "its clock and this machine's are too far apart",
  fix: "Run an NTP client on both (`timedatectl set-ntp true`).",
};
const full: Meaning = { kind: "full", message: "it has no room left", fix: "Add space, or raise the bucket's quota." };
const readOnly: Meaning = { kind: "read_only", message: "it takes no writes", fix: "Make it writable again." };
const silent: Meaning = {
  kind: "unreachable",
  message: "it does not answer",
  fix: "Check s3.endpoint, and that the store runs (`msgr stack status` for one of `msgr stack`).",
};

const untrusted: Meaning = {
  kind: "untrusted",
  message: "it shows a certificate that is not trusted",
  fix: untrustedFix,
};

const noTls: Meaning = {
  kind: "wrong_transport",
  message: "it does not speak TLS, and s3.endpoint asks for it",
  fix: "Write http:// in s3.endpoint, or give the store a certificate.",
};

/** By the code in the store's answer, or the system's or the client's own word for what went wrong on the way. */
const meanings: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  CredentialsProviderError: wrongKey,
  AccessDenied: notAllowed,
  AllAccessDisabled: notAllowed,
  NoSuchBucket: noBucket,
  RequestTimeTooSkewed: skewed,
  RequestExpired: skewed,
  QuotaExceeded: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
  XMinioStorageReadOnly: readOnly,
  SlowDown: silent,
  ServiceUnavailable: silent,
  InternalError: silent,
  RequestTimeout: silent,
  TimeoutError: silent,
  AbortError: silent,
  ECONNREFUSED: silent,
  ECONNRESET: silent,
  ETIMEDOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
  ENOTFOUND: silent,
  EAI_AGAIN: silent,
  EPIPE: silent,
  ...Object.fromEntries(untrustedCodes.map((code) => [code, untrusted])),
};

/** For answers without a code, as those to HEAD are. */
const meaningsByStatus: Readonly<Record<number, Meaning>> = { 401: wrongKey, 403: wrongKey, 507: full };

/** What the client library says about a failure, as far as anybody looks at it. */
interface ClientError {
  readonly name?: unknown;
  readonly Code?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Every name that the failure goes by, the most telling first; that of a failed `fetch` is in its cause. */
function namesOf(error: unknown): readonly string[] {
  const { name, Code, code, cause } = (error ?? {}) as ClientError;
  const { code: causeCode } = (cause ?? {}) as ClientError;
  return [Code, code, causeCode, name].filter((each) => typeof each === "string");
}

export function statusOf(error: unknown): number | undefined {
  return ((error ?? {}) as ClientError).$metadata?.httpStatusCode;
}

/** Whether the store's answer has one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return namesOf(error).some((name) => codes.includes(name));
}

/** What an operator is told. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { kind, message, fix } = meaningOf(error);
  return new StoreError("s3", kind, `The object store: ${message}.`, fix, error);
}

function meaningOf(error: unknown): Meaning {
  if (isNotTls(error) || isNotTls((error as Partial<Error> | undefined)?.cause)) return noTls;
  for (const name of namesOf(error)) {
    const meaning = meanings[name];
    if (meaning !== undefined) return meaning;
  }
  const status = statusOf(error);
  if (status !== undefined && status >= 500 && status !== 507) return silent;
  return (
    meaningsByStatus[status ?? 0] ?? {
      kind: "other",
      message: `it answered ${namesOf(error)[0] ?? "something unexpected"}${status === undefined ? "" : ` (${status})`}`,
      fix: "Look into its log.",
    }
  );
}

/** What a client is told. */
export function toWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  const cause = toStoreError(error);
  const isFull = cause.kind === "full" || cause.kind === "read_only";
  return new WireError(isFull ? "storage_full" : "store_unavailable", { cause });
}

export async function orWireError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toWireError(error);
  }
}
