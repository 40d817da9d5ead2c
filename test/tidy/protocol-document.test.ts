import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { registersField } from "../../src/protocol/fields.ts";
import { parseClientFrame, parseServerFrame } from "../../src/protocol/codec.ts";
import { clientFrameSchemas } from "../../src/protocol/frames/client-frames.ts";
import { serverFrameSchemas } from "../../src/protocol/frames/server-frames.ts";
import type { Endpoint } from "../../src/server/http/endpoint.ts";
import { endpoints } from "../../src/server/http/endpoints.ts";
import { problemOf } from "../../src/server/http/problem.ts";
import { WireError, wireErrors, type WireErrorCode } from "../../src/protocol/wire-errors.ts";
import { draftOf } from "../../src/server/routes/message-draft.ts";
import { resolveImport } from "./import-table.ts";
import { readRepositoryFile } from "./repository.ts";
import { importsOf } from "./source-text.ts";

const { text } = readRepositoryFile("docs/protocol.md");
const codeBlocks = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap((match) =>
  (match[1] as string).trimEnd().split("\n"),
);
const inlineCode = [...text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(
  (match) => match[1] as string,
);

/** The cells of the table rows whose first cell is code. */
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(2, -2).split(/ \| /));

/** `{a, b?: [{c}]}` as ["a", "b?"], sorted: what stands inside of a field is not compared. */
function namesIn(list: string): string[] {
  let depth = 0;
  let outer = "";
  for (const char of list.replace(/^\{([\s\S]*)\}$/, "$1")) {
    if (char === "{" || char === "[") depth++;
    if (depth === 0) outer += char;
    if (char === "}" || char === "]") depth--;
  }
  const names = outer.split(",").map((field) => (field.split(":")[0] as string).trim());
  return names.filter((name) => name !== "").toSorted();
}

/** What a schema takes: the names of its fields, with `?` where one may be left out. */
function fieldsOf(schema: z.ZodType): string[] {
  const alternatives = (schema as unknown as { options?: readonly z.ZodType[] }).options;
  if (alternatives !== undefined) return fieldsOf(alternatives[0] as z.ZodType);
  const { shape } = schema as unknown as { shape: Readonly<Record<string, z.ZodType>> };
  return Object.entries(shape)
    .filter(([name]) => name !== "type")
    .map(([name, field]) => (field.safeParse(undefined).success ? `${name}?` : name))
    .toSorted();
}

const nameOf = ({ method, url }: Endpoint): string => `${method} ${url}`;
const code = (cell: string): string => cell.replaceAll("`", "");
const operationRows = rows.filter(([call]) => /^`[A-Z]+ \/api\//.test(call as string));
const operationOf = (call: string): Endpoint =>
  endpoints.find((operation) => nameOf(operation) === code(call)) as Endpoint;

describe("the calls of docs/protocol.md", () => {
  it("are the operations of the server, all of them", () => {
    const documented = operationRows.map(([call]) => code(call as string));
    expect(documented.toSorted()).toEqual(endpoints.map(nameOf).toSorted());
  });

  it.each(operationRows)("%s takes the fields that it names: %s", (call, fields, answer) => {
    const { query, body, status } = operationOf(call);
    const given = code(fields);
    const asked = given.startsWith("?") ? given.slice(1).split("&") : [];
    expect(asked.map((pair) => pair.replace("=", "")).toSorted()).toEqual(query === undefined ? [] : fieldsOf(query));
    expect(given.startsWith("{") ? namesIn(given) : []).toEqual(body === undefined ? [] : fieldsOf(body));
    expect(Number(answer.slice(0, 3))).toBe(status);
  });

  const shapes = operationRows.flatMap(([call, , answer]) => {
    const shape = /^\d{3}, `(\{.*?\})`/.exec(answer as string)?.[1];
    return shape === undefined ? [] : [[call as string, shape] as const];
  });

  it.each(shapes)("%s answers the fields that it names: %s", (call, shape) => {
    expect(namesIn(shape)).toEqual(fieldsOf(operationOf(call).answer as z.ZodType));
  });

  it.each(operationRows)("%s names errors that exist", (...cells) => {
    const errors = [...(cells[3] as string).matchAll(/`(\w+)`/g)].map((match) => match[1] as string);
    for (const error of errors) expect(Object.keys(wireErrors)).toContain(error);
  });

  it.each([
    ["login", "POST /api/login"],
    ["account", "GET /api/me"],
    ["profile", "GET /api/users/:id"],
    ["group", "GET /api/groups/:id"],
  ])("a %s has the fields that are named", (word, call) => {
    const shape = new RegExp(`\\*\\*${word}\\*\\* (?:is )?\`(\\{.*?\\})\``).exec(text)?.[1] as string;
    expect(namesIn(shape)).toEqual(fieldsOf(operationOf(call).answer as z.ZodType));
  });
});

describe("the frames of docs/protocol.md", () => {
  const frameRows = rows.filter(
    ([type, fields]) => /^`[A-Z_]+`$/.test(type as string) && fields?.startsWith("`{") === true,
  );
  const documented = (cells: number): string[][] => frameRows.filter((row) => row.length === cells);

  it.each([
    ["client", 3, clientFrameSchemas],
    ["server", 2, serverFrameSchemas],
  ] as const)("of the %s are all there, with their fields", (_side, cells, schemas) => {
    const known = Object.entries(schemas).map(([type, schema]) => [type, fieldsOf(schema)]);
    const told = documented(cells).map(([type, fields]) => [code(type as string), namesIn(code(fields as string))]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known));
  });

  it("name the registers", () => {
    const shape = /\*\*Registers\*\*[^`]*`(\{.*?\})`/.exec(text)?.[1] as string;
    expect(namesIn(shape)).toEqual(fieldsOf(registersField));
  });
});

describe("the examples of docs/protocol.md", () => {
  const frames = codeBlocks
    .filter((line) => /^[→←] /.test(line))
    .map((line) => [line.charAt(0), line.slice(2)] as const);
  const inline = inlineCode.filter((example) => example.startsWith('{"type":'));

  it("are there", () => {
    expect(frames.length).toBeGreaterThanOrEqual(7);
    expect(inline.length).toBeGreaterThanOrEqual(3);
  });

  it.each(frames)("%s %s", (direction, example) => {
    const parsed = direction === "→" ? parseClientFrame(example) : parseServerFrame(example);
    expect(parsed).toEqual({ ok: true, frame: JSON.parse(example) as unknown });
  });

  it.each(inline)("inline: %s", (example) => {
    expect(parseClientFrame(example)).toEqual({ ok: true, frame: JSON.parse(example) as unknown });
  });

  it("carry the envelope that is described", () => {
    const sends = frames.flatMap(([, example]) => {
      const parsed = parseClientFrame(example);
      return parsed.ok && parsed.frame.type === "SEND_MESSAGE" ? [Buffer.from(draftOf(parsed.frame).envelope)] : [];
    });
    expect(sends.map(String)).toEqual([inlineCode.find((example) => example.startsWith('{"v":1'))]);
  });

  const exchanges = codeBlocks.flatMap((line, at) => {
    const [, call, sent] = /^([A-Z]+ \S+) (\{.*\})$/.exec(line) ?? [];
    const [, status, got] = /^(\d{3}) (\{.*\})$/.exec(codeBlocks[at + 1] ?? "") ?? [];
    return call === undefined ? [] : [[call, sent as string, Number(status), got as string] as const];
  });

  it.each(exchanges)("%s %s", (call, sent, status, got) => {
    const operation = operationOf(call);
    expect(operation.body?.safeParse(JSON.parse(sent))).toMatchObject({ success: true });
    const answer = JSON.parse(got) as { code?: WireErrorCode };
    expect(answer).toEqual(
      answer.code === undefined ? operation.answer?.parse(answer) : problemOf(new WireError(answer.code)),
    );
    expect(status).toBe(answer.code === undefined ? operation.status : wireErrors[answer.code].status);
  });

  it("are frames or exchanges, every line of them", () => {
    expect(exchanges.length).toBeGreaterThan(0);
    expect(frames.length + exchanges.length * 2).toBe(codeBlocks.length);
  });
});

describe("the client that was written from docs/protocol.md", () => {
  it("and its test import nothing of this repository's source, at any distance", () => {
    const seen = new Set(["test/e2e/stranger.test.ts"]);
    for (const file of seen) {
      for (const { specifier } of importsOf(readRepositoryFile(file).text)) {
        if (specifier.startsWith(".")) seen.add(resolveImport(file, specifier));
      }
    }
    expect([...seen].toSorted()).toEqual([
      "test/e2e/stranger.test.ts",
      "test/helpers/server-process.ts",
      "test/helpers/stranger-client.ts",
    ]);
  });
});

describe("the tests of the API", () => {
  const tests = ["accounts", "conversations", "edges", "groups", "media", "people"].map(
    (name) => `test/e2e/http-${name}.test.ts`,
  );
  const written = [...tests, "test/integration/http-services.test.ts"]
    .map((file) => readRepositoryFile(file).text)
    .join("\n");

  it.each(endpoints.map(nameOf))("call %s", (name) => {
    expect(written).toContain(`"${name}"`);
  });

  const named = operationRows.flatMap((cells) => [...(cells[3] as string).matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)]);
  it.each([...new Set(named.map((match) => match[1] as string))])("meet %s", (error) => {
    expect(written).toContain(`"${error}"`);
  });
});
