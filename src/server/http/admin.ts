import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { handleField } from "../../protocol/fields.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { bearsToken } from "../bears-token.ts";
import { nameField } from "./bodies.ts";
import { parsed } from "./parsed.ts";

/** A user made in bulk, with one device that is logged in already. */
export interface ProvisionedUser {
  readonly userId: Uuid;
  readonly handle: string;
  readonly device: number;
  readonly accessToken: string;
}

export interface AdminServices {
  /** The operator's secret; the administrative operations do not exist without one. */
  readonly token: string;
  /** All or none; rejects with `handle_taken`. No password: these accounts are reached by their tokens only. */
  createUsers(
    users: readonly { readonly handle: string; readonly displayName: string; readonly devices: number }[],
  ): Promise<readonly ProvisionedUser[]>;
  usePreset(preset: "default" | "bench" | "off"): void;
  /** The memory of the process in bytes, after a garbage collection if it could be had. */
  measureMemory(): {
    readonly rss: number;
    readonly heapUsed: number;
    readonly external: number;
    readonly collected: boolean;
  };
  /** Begins the same drain as SIGTERM. */
  drain(): void;
}

const usersBody = z.object({
  users: z
    .array(
      z.object({
        handle: handleField,
        display_name: nameField(limits.displayNameLengthMax).optional(),
        devices: z.int().min(1).max(limits.devicesPerUserMax).default(1),
      }),
    )
    .min(1)
    .max(limits.bulkUsersMax),
});
const limitsBody = z.object({ preset: z.enum(["default", "bench", "off"]) });

/** Operations for operators and the load harness, on a port of their own, behind a token of their own. */
export function registerAdmin(app: FastifyInstance, services: AdminServices): void {
  const authorise = async (request: FastifyRequest): Promise<void> => {
    if (!bearsToken(request.headers.authorization, services.token)) throw new WireError("unauthenticated");
  };
  app.post("/admin/users", { onRequest: authorise, bodyLimit: limits.adminBodyBytesMax }, async (request) => {
    const { users } = parsed(usersBody, request.body, "body");
    const made = await services.createUsers(
      users.map((user) => ({
        handle: user.handle,
        displayName: user.display_name ?? user.handle,
        devices: user.devices,
      })),
    );
    return {
      users: made.map((user) => ({
        user_id: user.userId,
        handle: user.handle,
        device: user.device,
        access_token: user.accessToken,
      })),
    };
  });
  app.put("/admin/limits", { onRequest: authorise }, async (request, reply) => {
    services.usePreset(parsed(limitsBody, request.body, "body").preset);
    return reply.code(204).send();
  });
  app.post("/admin/drain", { onRequest: authorise }, async (_request, reply) => {
    services.drain();
    return reply.code(202).send();
  });
  app.get("/admin/memory", { onRequest: authorise }, async () => {
    const memory = services.measureMemory();
    return {
      rss_bytes: memory.rss,
      heap_used_bytes: memory.heapUsed,
      external_bytes: memory.external,
      collected: memory.collected,
    };
  });
}
