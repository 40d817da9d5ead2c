import { StoreError } from "../../base/store-error.ts";
import { isUntrusted, untrustedFix } from "../../base/untrusted.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/** Redis refuses writes because it has no room (OOM), cannot write its files (MISCONF) or is a replica (READONLY). */
const refusesWrites = /^(?:OOM|MISCONF|READONLY)\b/;
/** Redis is there but cannot answer now: starting, a script runs, a failover is under way, or it wants a log-in. */
const refusesNow = /^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM)\b/;
const wrongPassword = /^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password|ERR Client sent AUTH)/;

function isReply(error: Error): boolean {
  return error.name === "ReplyError" || error.name === "ErrorReply" || /^[A-Z]{3,}[A-Z ]*\b [^ ]/.test(error.message);
}

/**
 * What a client may hear of an error of Redis or of the way to it: `storage_full` where writes are refused,
 * `store_unavailable` where there was no answer. An answer that names a mistake of ours (a wrong type, a bad script) is
 * returned as it is and becomes `internal` at the edge.
 */
export function toWireError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof WireError) return error;
  if (refusesWrites.test(error.message)) return new WireError("storage_full", { cause: error });
  if (refusesNow.test(error.message)) return new WireError("store_unavailable", { cause: error });
  if (isReply(error)) return error;
  return new WireError("store_unavailable", { cause: error });
}

/** Passes a result on, and errors as `toWireError` has them. */
export async function answered<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw toWireError(error);
  }
}

/** What an operator hears when the server process cannot start on this Redis. `address` names no secret. */
export function toStoreError(error: unknown, address: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (wrongPassword.test(text)) {
    return new StoreError(
      "redis",
      "wrong_password",
      `Redis at ${address} refuses the log-in: ${text}`,
      "Set redis.password (or redis.password_file) to what `requirepass` or the ACL of the server says.",
      error,
    );
  }
  if (isUntrusted(error)) {
    const message = `Redis at ${address} shows a certificate that is not trusted: ${text}`;
    return new StoreError("redis", "untrusted", message, untrustedFix, error);
  }
  return new StoreError(
    "redis",
    "unreachable",
    `Redis at ${address} does not answer: ${text || "no connection"}`,
    "Start it (`msgr stack up --only redis`) or correct redis.url.",
    error,
  );
}
