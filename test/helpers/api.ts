import { expect } from "vitest";
import { wireErrors, type WireErrorCode } from "../../src/protocol/wire-errors.ts";
import type { Endpoint } from "../../src/server/http/endpoint.ts";
import { endpoints } from "../../src/server/http/endpoints.ts";

/** Bodies as tests look into them: where a field is missing the test fails. */
export interface Body {
  readonly [field: string]: unknown;
  readonly user_id: string;
  readonly handle: string;
  readonly device: number;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly membership: number;
  readonly conversation_id: string;
  readonly messages: readonly Body[];
  readonly members: readonly Body[];
  readonly conversations: readonly Body[];
  readonly presence: readonly Body[];
  readonly registers: Readonly<Record<string, number>>;
  readonly detail: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Call {
  readonly token?: string | undefined;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
}

/**
 * Calls one operation of the API (`"GET /api/users/:id"`). Whatever comes back is held to the contract: a success to the
 * operation's status and schema, with no field beyond it; anything else to the table of errors.
 */
export async function api(server: { readonly url: string }, operation: string, call: Call = {}): Promise<Answer> {
  const [method, template] = operation.split(" ") as [string, string];
  const endpoint = endpoints.find((candidate) => `${candidate.method} ${candidate.url}` === operation);
  if (endpoint === undefined) throw new Error(`there is no operation ${operation}`);
  const path = template.replaceAll(/:(\w+)/g, (_all, name: string) =>
    encodeURIComponent(String(call.params?.[name] ?? "")),
  );
  const query = Object.entries(call.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const response = await fetch(`${server.url}${path}${query.length === 0 ? "" : `?${query.join("&")}`}`, {
    method,
    headers: {
      ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  if (response.ok) return { ...(await expectSuccess(response, endpoint)), headers: response.headers };
  return { ...(await expectProblem(response)), headers: response.headers };
}

async function expectSuccess(response: Response, endpoint: Endpoint): Promise<Pick<Answer, "status" | "body">> {
  const text = await response.text();
  expect(response.status).toBe(endpoint.status);
  if (endpoint.answer === undefined) {
    expect(text).toBe("");
    return { status: response.status, body: {} as Body };
  }
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  const body = JSON.parse(text) as Body;
  expect(endpoint.answer.parse(body)).toEqual(body);
  return { status: response.status, body };
}

/** A problem document as RFC 9457 and the table of errors have it. */
export async function expectProblem(response: Response, status?: number): Promise<Pick<Answer, "status" | "body">> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as Body & { code: WireErrorCode; retry_after_ms?: number };
  const entry = wireErrors[body.code];
  expect(response.status).toBe(status ?? entry.status);
  expect(body).toEqual({
    type: `urn:msgr:error:${body.code}`,
    title: entry.message,
    status: response.status,
    detail: expect.any(String) as string,
    code: body.code,
    temporary: entry.temporary,
    fix: entry.fix,
    ...(body["undecided"] === undefined ? {} : { undecided: true }),
    ...(body.retry_after_ms === undefined ? {} : { retry_after_ms: expect.any(Number) as number }),
  });
  const seconds = body.retry_after_ms === undefined ? null : String(Math.max(1, Math.ceil(body.retry_after_ms / 1000)));
  expect(response.headers.get("retry-after")).toBe(seconds);
  expect(response.headers.get("www-authenticate")).toBe(response.status === 401 ? "Bearer" : null);
  return { status: response.status, body };
}

/** What an answer has to be when it names this error. */
export const refused = (code: WireErrorCode) =>
  expect.objectContaining({ status: wireErrors[code].status, body: expect.objectContaining({ code }) as unknown });
