import type { FastifyInstance } from "fastify";
import type { Clock } from "../../base/clock.ts";
import type { Cdn } from "../../core/media/cdn.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/** Where a cache asks (nginx: `auth_request`). docs/operating.md names it; the cache lets nobody else through to it. */
export const admitPath = "/cdn/admit";

/**
 * Answers a cache that asks whether it may serve a request, which it names in `X-Original-URI` as it came: 204 with the
 * object's name and the way to its bytes, or 403. Knows no client and asks no store, so that what is cached can be read
 * while stores are gone. Who asks by himself learns no more than the address that he has to bring allows.
 */
export function admitMedia(app: FastifyInstance, { cdn, clock }: { readonly cdn: Cdn; readonly clock: Clock }): void {
  app.get(admitPath, async (request, reply) => {
    const admission = await cdn.admit(String(request.headers["x-original-uri"] ?? ""), clock.nowMs());
    if (admission === undefined) throw new WireError("bad_signature");
    return reply.code(204).headers({ "x-media-object": admission.name, "x-media-origin": admission.origin }).send();
  });
}
