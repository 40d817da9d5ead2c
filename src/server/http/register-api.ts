import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { ApiCaller } from "./caller.ts";
import { clientAddress } from "./client-address.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";
import { installJson } from "./json-body.ts";
import { openApiDocument } from "./openapi.ts";
import { parsed } from "./parsed.ts";
import { installErrors } from "./refusals.ts";
import type { ApiServices } from "./services.ts";

/**
 * Puts every operation of the public API on a fastify instance, and its OpenAPI document at /api/openapi.json. All that
 * goes wrong leaves as a problem document; what is not a WireError is reported to `services.onFailure` and leaves as `internal`.
 */
export function registerApi(app: FastifyInstance, services: ApiServices): void {
  installErrors(app, services);
  installJson(app);
  app.decorateRequest("caller", undefined);
  for (const operation of endpoints) {
    app.route({
      method: operation.method,
      url: operation.url,
      bodyLimit: limits.httpBodyBytesMax,
      // Before the body is read: a stranger makes the server hold nothing.
      onRequest: async (request) => {
        if (!operation.public) request.setDecorator("caller", await admit(operation, services, request));
      },
      handler: (request, reply) => answer(operation, services, request, reply),
    });
  }
  const document = openApiDocument(endpoints);
  app.get("/api/openapi.json", () => document);
}

/** Whose request it is. Errors: unauthenticated, rate_limited. */
async function admit(operation: Endpoint, services: ApiServices, request: FastifyRequest): Promise<ApiCaller> {
  const { rateLimits, clock } = services;
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? "")?.[1];
  const caller = token === undefined ? undefined : await services.authenticate(token);
  if (caller === undefined) throw new WireError("unauthenticated");
  const name = operation.rule ?? "request";
  const rule = services.rules()[name];
  const waitMs = rule === undefined ? 0 : await rateLimits.take(`${name}:${caller.userId}`, rule, 1, clock.nowMs());
  if (waitMs > 0) throw new WireError("rate_limited", { retryAfterMs: waitMs });
  return caller;
}

async function answer(
  operation: Endpoint,
  services: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const result = await operation.handle(services, request.getDecorator<ApiCaller | undefined>("caller"), {
    params: operation.params && parsed(operation.params, request.params, "path"),
    query: operation.query && parsed(operation.query, request.query, "query"),
    body: operation.body && parsed(operation.body, request.body, "body"),
    address: clientAddress(request.raw, services.proxiesTrusted),
    origin: `${request.protocol}://${request.host}`,
  });
  reply.code(operation.status);
  return operation.status === 204 ? reply.send() : result;
}
