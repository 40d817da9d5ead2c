import type { FastifyInstance } from "fastify";
import { WireError } from "../protocol/wire-errors.ts";
import { bearsToken } from "./bears-token.ts";
import type { Metrics } from "./metrics.ts";

export interface OperationsServices {
  readonly metrics: Metrics;
  /** Undefined while ready; otherwise why not, in a word. */
  notReady(): string | undefined;
  /** The configuration with its origins, secrets masked. */
  describeConfig(): unknown;
  /** Guards /debug; undefined = /debug is off. */
  readonly token: string | undefined;
}

/** What a platform and an operator ask a process about itself; on the administrative port. */
export function registerOperations(app: FastifyInstance, services: OperationsServices): void {
  app.get("/livez", () => ({ status: "live" }));
  app.get("/readyz", (_request, reply) => {
    const reason = services.notReady();
    return reply.code(reason === undefined ? 200 : 503).send({ status: reason ?? "ready" });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(services.metrics.contentType).send(await services.metrics.text()),
  );
  const { token } = services;
  if (token === undefined) return;
  app.get("/debug/config", async (request) => {
    if (!bearsToken(request.headers.authorization, token)) throw new WireError("unauthenticated");
    return services.describeConfig();
  });
}
