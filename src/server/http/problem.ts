import type { WireError } from "../../protocol/wire-errors.ts";
import { wireErrors, type WireErrorCode } from "../../protocol/wire-errors.ts";

/** RFC 9457 problem document. `code`, `temporary` and `fix` are extensions; the codes are those of ERROR frames. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: WireErrorCode;
  readonly temporary: boolean;
  readonly fix: string;
  readonly undecided?: true;
  readonly retry_after_ms?: number;
}

export const problemMediaType = "application/problem+json";

export function problemOf(error: WireError): Problem {
  const entry = wireErrors[error.code];
  return {
    type: `urn:msgr:error:${error.code}`,
    title: entry.message,
    status: entry.status,
    detail: error.message,
    code: error.code,
    temporary: entry.temporary,
    fix: entry.fix,
    ...(error.undecided ? { undecided: true as const } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(error.retryAfterMs) }),
  };
}

/** `Retry-After` wants whole seconds (RFC 9110 §10.2.3); undefined where there is nothing to wait for. */
export function retryAfterSeconds(problem: Problem): number | undefined {
  return problem.retry_after_ms === undefined ? undefined : Math.max(1, Math.ceil(problem.retry_after_ms / 1000));
}
