import { STATUS_CODES } from "node:http";
import type { FastifyInstance, FastifyReply } from "fastify";
import { WireError } from "../../protocol/wire-errors.ts";
import { problemMediaType, problemOf, retryAfterSeconds, type Problem } from "./problem.ts";

/** How a problem document leaves: as a reply of fastify, or by hand where fastify has no reply (yet). */
function headersOf(problem: Problem): Record<string, string> {
  const retryAfter = retryAfterSeconds(problem);
  return {
    "content-type": problemMediaType,
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    ...(problem.status === 401 ? { "www-authenticate": "Bearer" } : {}),
  };
}

export function refuse(reply: FastifyReply, error: WireError): FastifyReply {
  const problem = problemOf(error);
  // Bytes: to a text fastify would add a charset, which this media type does not have.
  return reply
    .code(problem.status)
    .headers(headersOf(problem))
    .send(Buffer.from(JSON.stringify(problem)));
}

/** A whole HTTP/1.1 answer that ends its connection. */
export function rawRefusal(problem: Problem, headers: Readonly<Record<string, string>> = {}): string {
  const body = JSON.stringify(problem);
  const lines = Object.entries({
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    ...headersOf(problem),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, "", body].join("\r\n");
}

/** For what is not even an HTTP request that fastify could route: a broken head, one too large, one too slow. */
export function refuseConnection(error: { readonly code?: string }): string {
  const { code } = error;
  if (code === "HPE_HEADER_OVERFLOW") {
    const wire = new WireError("too_large", { detail: "the head of the request exceeds its size limit" });
    return rawRefusal({ ...problemOf(wire), status: 431 });
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const wire = new WireError("bad_request", { detail: "the request did not arrive in time" });
    return rawRefusal({ ...problemOf(wire), status: 408 });
  }
  return rawRefusal(problemOf(new WireError("bad_request", { detail: "not an HTTP request" })));
}

/** fastify's own failures, by what the caller can do about them. Undefined = a failure of ours. */
export function toWireError(error: unknown): WireError | undefined {
  if (error instanceof WireError) return error;
  const status = (error as { statusCode?: unknown }).statusCode;
  if (status === 413) return new WireError("too_large", { cause: error });
  if (typeof status === "number" && status >= 400 && status < 500) {
    const detail = error instanceof Error ? error.message : "malformed request";
    return new WireError("bad_request", { detail, cause: error });
  }
  return undefined;
}

/** All that goes wrong on `app` leaves as a problem document; what nobody foresaw is told to `onFailure` first. */
export function installErrors(
  app: FastifyInstance,
  services: { onFailure(error: unknown, operation: string): void },
): void {
  app.setErrorHandler((error, request, reply) => {
    const known = toWireError(error);
    if (known !== undefined) return refuse(reply, known);
    services.onFailure(error, `${request.method} ${request.routeOptions.url ?? "?"}`);
    return refuse(reply, new WireError("internal"));
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, new WireError("not_found")));
}
