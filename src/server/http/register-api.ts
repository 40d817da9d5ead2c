import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";
import { openApiDocument } from "./openapi.ts";
import { problemMediaType, problemOf, retryAfterSeconds } from "./problem.ts";
import type { ApiServices } from "./services.ts";

/**
 * Puts every operation of the public API on a fastify instance, and its OpenAPI document at /api/openapi.json. All that
 * goes wrong leaves as a problem document; what is not a WireError is reported to `services.onFailure` and leaves as `internal`.
 */
export function registerApi(app: FastifyInstance, services: ApiServices): void {
  installErrors(app, services);
  for (const operation of endpoints) {
    app.route({
      method: operation.method,
      url: operation.url,
      bodyLimit: limits.httpBodyBytesMax,
      handler: (request, reply) => answer(operation, services, request, reply),
    });
  }
  const document = openApiDocument(endpoints);
  app.get("/api/openapi.json", () => document);
}

async function answer(
  operation: Endpoint,
  services: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const caller = operation.public ? undefined : await services.authenticate(bearerToken(request.headers.authorization));
  if (!operation.public && caller === undefined) throw new WireError("unauthenticated");
  const result = await operation.handle(services, caller, {
    params: parsed(operation.params, request.params, "path"),
    query: parsed(operation.query, request.query, "query"),
    body: parsed(operation.body, request.body, "body"),
    address: request.ip,
  });
  reply.code(operation.status);
  return operation.status === 204 ? reply.send() : result;
}

function bearerToken(header: string | undefined): string {
  const match = /^Bearer ([\w.~+/-]+=*)$/i.exec(header ?? "");
  if (match === null) throw new WireError("unauthenticated");
  return match[1] as string;
}

function parsed(schema: z.ZodType | undefined, value: unknown, part: string): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? part : `${part}.${issue.path.join(".")}`;
  throw new WireError("bad_request", { detail: `${place}: ${issue?.message ?? "invalid"}` });
}

/** fastify's own failures, by what the caller can do about them. */
function toWireError(error: unknown): WireError | undefined {
  if (error instanceof WireError) return error;
  const status = (error as { statusCode?: unknown }).statusCode;
  if (status === 413) return new WireError("too_large", { cause: error });
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new WireError("bad_request", {
      detail: error instanceof Error ? error.message : "malformed request",
      cause: error,
    });
  }
  return undefined;
}

export function installErrors(app: FastifyInstance, services: Pick<ApiServices, "onFailure">): void {
  const refuse = (reply: FastifyReply, error: WireError): FastifyReply => {
    const problem = problemOf(error);
    const retryAfter = retryAfterSeconds(problem);
    if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
    return reply.code(problem.status).type(problemMediaType).send(JSON.stringify(problem));
  };
  app.setErrorHandler((error, request, reply) => {
    const known = toWireError(error);
    if (known !== undefined) return refuse(reply, known);
    services.onFailure(error, `${request.method} ${request.routeOptions.url ?? "?"}`);
    return refuse(reply, new WireError("internal"));
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, new WireError("not_found")));
}
