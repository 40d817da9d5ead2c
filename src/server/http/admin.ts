import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { handleField } from "../../protocol/fields.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { visibleText } from "./bodies.ts";

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
  /** Forces a garbage collection if the process was started with --expose-gc; answers its memory in bytes. */
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
        display_name: visibleText(limits.displayNameLengthMax).optional(),
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
    if (!sameSecret(request.headers.authorization ?? "", `Bearer ${services.token}`))
      throw new WireError("unauthenticated");
  };
  app.post("/admin/users", { preHandler: authorise, bodyLimit: limits.adminBodyBytesMax }, async (request) => {
    const { users } = checked(usersBody, request.body);
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
  app.put("/admin/limits", { preHandler: authorise }, async (request, reply) => {
    services.usePreset(checked(limitsBody, request.body).preset);
    return reply.code(204).send();
  });
  app.post("/admin/drain", { preHandler: authorise }, async (_request, reply) => {
    services.drain();
    return reply.code(202).send();
  });
  app.get("/admin/memory", { preHandler: authorise }, async () => {
    const memory = services.measureMemory();
    return {
      rss_bytes: memory.rss,
      heap_used_bytes: memory.heapUsed,
      external_bytes: memory.external,
      collected: memory.collected,
    };
  });
}

function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new WireError("bad_request", { detail: `${issue?.path.join(".") ?? "body"}: ${issue?.message ?? "invalid"}` });
}

/** Compares hashes, so that neither the length nor a common prefix shows in the time it takes. */
function sameSecret(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
