import { describe, expect, test } from "vitest";
import { endpoints } from "./endpoints.ts";
import { openApiDocument } from "./openapi.ts";

type Json = Record<string, unknown>;

// As a reader gets it: whatever JSON cannot say is gone.
const document = JSON.parse(JSON.stringify(openApiDocument(endpoints))) as {
  readonly openapi: string;
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
};

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly Json[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    schema: Json;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Json };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Json }>>;
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
);
const endpointOf = (name: string) =>
  endpoints.find(({ method, url }) => `${method.toLowerCase()} ${url.replaceAll(/:(\w+)/g, "{$1}")}` === name);

/** Every object anywhere in the document, with where it stands. */
function* objects(value: unknown, place = "#"): Generator<readonly [place: string, object: Json]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [place, value as Json];
  for (const [key, inner] of Object.entries(value)) yield* objects(inner, `${place}/${key}`);
}

const schemaKeywords = new Set(
  (
    "type enum const $ref title description default format pattern minLength maxLength minimum maximum exclusiveMinimum " +
    "exclusiveMaximum multipleOf items prefixItems minItems maxItems properties required additionalProperties " +
    "propertyNames anyOf oneOf allOf not"
  ).split(" "),
);

/** What a JSON Schema (2020-12) must not get wrong, recursively. */
function problemsOf(schema: unknown, place: string): string[] {
  if (typeof schema === "boolean") return [];
  if (typeof schema !== "object" || schema === null) return [`${place}: no schema`];
  const known = schema as Json;
  const problems = Object.keys(known)
    .filter((keyword) => !schemaKeywords.has(keyword))
    .map((keyword) => `${place}: ${keyword}`);
  const types = ["string", "number", "integer", "boolean", "object", "array", "null", undefined];
  if (!types.includes(known["type"] as string | undefined)) problems.push(`${place}: type ${String(known["type"])}`);
  if (typeof known["pattern"] === "string" && !isPattern(known["pattern"])) problems.push(`${place}: pattern`);
  const properties = (known["properties"] ?? {}) as Json;
  for (const name of (known["required"] ?? []) as string[])
    if (!Object.hasOwn(properties, name)) problems.push(`${place}: required ${name} is no property`);
  for (const [name, inner] of Object.entries(properties)) problems.push(...problemsOf(inner, `${place}.${name}`));
  for (const list of ["anyOf", "oneOf", "allOf", "prefixItems"])
    for (const inner of (known[list] ?? []) as unknown[]) problems.push(...problemsOf(inner, `${place}.${list}`));
  for (const one of ["items", "additionalProperties", "not"])
    if (known[one] !== undefined) problems.push(...problemsOf(known[one], `${place}.${one}`));
  return problems;
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "u").source !== "";
  } catch {
    return false;
  }
}

const schemaIn = (content: Json | undefined, type: string): unknown =>
  (content?.[type] as Json | undefined)?.["schema"];

describe("the OpenAPI document", () => {
  test("is of version 3.1, with a title and a version of the API", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "msgr", version: expect.any(String) as string });
    expect(Object.keys(document).toSorted()).toEqual(["components", "info", "openapi", "paths"]);
  });

  test("lists every operation, and no other", () => {
    const names = endpoints.map(({ method, url }) => `${method.toLowerCase()} ${url.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(operations.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(endpoints.length);
  });

  test("has no two paths that differ only in the names of their parameters", () => {
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{\w+\}/g, "{}"));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  test("refers to nothing that is not there", () => {
    const references = [...objects(document)].flatMap(([, object]) =>
      typeof object["$ref"] === "string" ? [object["$ref"]] : [],
    );
    expect(references.length).toBeGreaterThan(0);
    const places = new Set([...objects(document)].map(([place]) => place));
    expect(references.filter((reference) => !places.has(reference))).toEqual([]);
  });

  test("carries no dialect or other leftovers of the schemas it was made from", () => {
    const leftovers = [...objects(document)].filter(([, object]) => "$schema" in object || "~standard" in object);
    expect(leftovers).toEqual([]);
  });

  test("describes the problem document", () => {
    expect(problemsOf(document.components.schemas["Problem"], "Problem")).toEqual([]);
  });
});

describe.each(operations)("$name", ({ name, path, operation }) => {
  const endpoint = endpointOf(name);

  test("asks for a token unless it is public", () => {
    expect(operation.security).toEqual(endpoint?.public === true ? undefined : [{ bearer: [] }]);
    expect(document.components.securitySchemes).toHaveProperty("bearer");
  });

  test("has the parameters of its path, all required, and its query", () => {
    const placed = operation.parameters.filter((parameter) => parameter.in === "path");
    expect(placed.map((parameter) => parameter.name).toSorted()).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string).toSorted(),
    );
    expect(placed.every((parameter) => parameter.required)).toBe(true);
    expect(operation.parameters.filter((parameter) => parameter.in === "query").length > 0).toBe(
      endpoint?.query !== undefined,
    );
    expect(operation.parameters.flatMap((parameter) => problemsOf(parameter.schema, parameter.name))).toEqual([]);
  });

  test("has sound schemas of what it takes and gives", () => {
    const { requestBody, responses } = operation;
    const success = responses[String(endpoint?.status)];
    const schemas = [
      ...(endpoint?.body === undefined ? [] : [schemaIn(requestBody?.content, "application/json")]),
      ...(endpoint?.answer === undefined ? [] : [schemaIn(success?.content, "application/json")]),
      schemaIn(responses["default"]?.content, "application/problem+json"),
    ];
    expect(schemas.flatMap((schema) => problemsOf(schema, name))).toEqual([]);
    expect(requestBody === undefined).toBe(endpoint?.body === undefined);
    expect(success?.content === undefined).toBe(endpoint?.status === 204);
    expect(Object.values(responses).every((response) => response.description !== "")).toBe(true);
  });
});
