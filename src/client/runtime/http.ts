import { wireErrors, type WireErrorCode } from "../../protocol/wire-errors.ts";

/** What the server answered to an HTTP request that failed, or why none was had (`unreachable`). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** A code of the wire error table, `unreachable`, or `unexpected_answer` for what is not from this kind of server. */
  readonly code: string;
  /** HTTP status; 0 = there was no answer. */
  readonly status: number;
  /** Whether the same request may succeed later, unchanged. */
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;
  readonly fix: string;

  constructor(parts: {
    code: string;
    status: number;
    message: string;
    temporary: boolean;
    fix: string;
    retryAfterMs?: number | undefined;
    cause?: unknown;
  }) {
    super(parts.message, { cause: parts.cause });
    this.code = parts.code;
    this.status = parts.status;
    this.temporary = parts.temporary;
    this.retryAfterMs = parts.retryAfterMs;
    this.fix = parts.fix;
  }
}

export interface HttpOptions {
  /** http:// or https://, without a path. */
  readonly url: string;
  /** Default 15 s. */
  readonly timeoutMs?: number;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly accessToken?: string;
  /** Default: that of the options. */
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 15_000;

/** The JSON of a successful answer (undefined for an empty one); rejects with ApiError and nothing else. */
export async function requestJson(options: HttpOptions, request: HttpRequest): Promise<unknown> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (request.accessToken !== undefined) headers["authorization"] = `Bearer ${request.accessToken}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(request.path, options.url), {
      method: request.method,
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? timeoutMsDefault),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    text = await response.text();
  } catch (cause) {
    throw unreachable(options.url, cause);
  }
  const value = parseJson(text);
  if (!response.ok) throw refused(response, value);
  if (text !== "" && value === undefined) throw unexpected(response.status);
  return value;
}

function refused(response: Response, value: unknown): ApiError {
  const problem = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const { code, detail, title, fix, retry_after_ms: retryAfterMs } = problem;
  if (typeof code !== "string") return unexpected(response.status);
  const known = Object.hasOwn(wireErrors, code) ? wireErrors[code as WireErrorCode] : undefined;
  const words = typeof detail === "string" ? detail : typeof title === "string" ? title : known?.message;
  return new ApiError({
    code,
    status: response.status,
    message: words ?? `The server refused: ${code}.`,
    temporary: known?.temporary ?? response.status >= 500,
    fix: typeof fix === "string" ? fix : (known?.fix ?? "See the protocol's table of errors."),
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  });
}

function unexpected(status: number): ApiError {
  return new ApiError({
    code: "unexpected_answer",
    status,
    message: `The answer (HTTP ${status}) is not from a msgr server.`,
    temporary: status >= 500,
    fix: "Check the server's address and what stands in front of it.",
  });
}

function unreachable(url: string, cause: unknown): ApiError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  return new ApiError({
    code: "unreachable",
    status: 0,
    message: `${url} cannot be reached: ${reason}`,
    temporary: true,
    fix: "Check that the server runs and that the address is right.",
    cause,
  });
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
