import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

type Json = Record<string, unknown>;

/** OpenAPI 3.1 from the same schemas that check the requests. */
export function openApiDocument(endpoints: readonly Endpoint[]): Json {
  const paths: Record<string, Json> = {};
  for (const operation of endpoints) {
    const path = operation.url.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "msgr",
      version: "1",
      description: "Accounts, groups and history over HTTP. Messages travel over the WebSocket at /ws.",
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problemSchema },
    },
  };
}

const problemSchema: Json = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "temporary", "fix"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    temporary: { type: "boolean" },
    fix: { type: "string" },
    undecided: { type: "boolean" },
    retry_after_ms: { type: "integer" },
  },
};

function describe(operation: Endpoint): Json {
  const success =
    operation.answer === undefined
      ? { description: "done" }
      : { description: "done", content: json(schemaOf(operation.answer, "output")) };
  return {
    operationId: operationId(operation),
    summary: operation.summary,
    ...(operation.public ? {} : { security: [{ bearer: [] }] }),
    parameters: [...parametersOf(operation.params, "path"), ...parametersOf(operation.query, "query")],
    ...(operation.body === undefined
      ? {}
      : { requestBody: { required: true, content: json(schemaOf(operation.body, "input")) } }),
    responses: {
      [operation.status]: success,
      default: {
        description: "a problem document",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** `PUT /api/groups/:id/members` → `putGroupsIdMembers`, for generators that name functions after it. */
function operationId({ method, url }: Endpoint): string {
  const words = url.split(/[^A-Za-z]+/).slice(2);
  const capitalised = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return method.toLowerCase() + capitalised.join("");
}

function json(schema: Json): Json {
  return { "application/json": { schema } };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  return rest;
}

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties, required } = schemaOf(schema, "input") as { properties?: Json; required?: string[] };
  return Object.entries(properties ?? {}).map(([name, type]) => ({
    name,
    in: place,
    required: place === "path" || (required ?? []).includes(name),
    schema: type,
  }));
}
