import type { z } from "zod";
import { WireError } from "../../protocol/wire-errors.ts";

/** `part` of a request as its schema has it; without a schema there is nothing to read. Errors: bad_request, naming the field. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, part: string): T {
  // A missing body is one without fields.
  const result = schema.safeParse(value === undefined ? {} : value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? part : `${part}.${issue.path.join(".")}`;
  throw new WireError("bad_request", { detail: `${place}: ${issue?.message ?? "invalid"}` });
}
