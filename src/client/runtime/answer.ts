import type { z } from "zod";
import { ApiError } from "./http.ts";

/** An answer as its schema says; ApiError `unexpected_answer` when the server says something else. */
export function parseAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new ApiError({
    code: "unexpected_answer",
    status: 200,
    message: "The server's answer has not the shape of this protocol.",
    temporary: false,
    fix: "Use client and server of the same version.",
    cause: result.error,
  });
}
