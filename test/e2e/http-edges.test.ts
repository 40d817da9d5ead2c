import { once } from "node:events";
import { request as httpRequest } from "node:http";
import net from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endpoints } from "../../src/server/http/endpoints.ts";
import { openApiDocument } from "../../src/server/http/openapi.ts";
import { api, expectProblem, refused, type Body } from "../helpers/api.ts";
import { newMessageId } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;
let user: TestUser;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

// Some of the rubbish below logs its user out.
beforeEach(async () => {
  [user] = (await server.createUsers(1)) as [TestUser];
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A request with whatever bytes for a body. */
function raw(method: string, path: string, body?: string | Uint8Array, type = "application/json"): Promise<Response> {
  const headers = { authorization: `Bearer ${user.token}`, "content-type": type };
  return fetch(`${server.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: body as string }) });
}

/** What comes back for bytes that need not be HTTP. */
async function overSocket(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, "connect");
  socket.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe("every operation", () => {
  const concrete = (url: string, value: string): string => url.replaceAll(/:\w+/g, value);
  const rows = endpoints.map((endpoint) => ({ ...endpoint, name: `${endpoint.method} ${endpoint.url}` }));

  test.each(rows.filter((row) => !row.public))("$name wants a token, before it looks at anything else", async (row) => {
    const url = `${server.url}${concrete(row.url, "x")}`;
    const hasBody = row.method !== "GET" && row.method !== "DELETE";
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: row.method, headers, ...(hasBody ? { body: "{" } : {}) });
    expect(await expectProblem(response)).toEqual(refused("unauthenticated"));
  });

  test.each(rows)("$name takes rubbish calmly", async (row) => {
    const ids = ["x", "%00", "..%2f..", newMessageId(), "1", "0".repeat(120)];
    const bodies = ["[]", '"text"', "null", "0", "{}", '{"handle":{},"to":[],"user_ids":{},"scope":[]}'];
    for (const [at, id] of ids.entries()) {
      const url = `${concrete(row.url, id)}?limit=${id}&cursor=${id}&ids=${id}&ids=${id}&before=${id}`;
      const hasBody = row.method !== "GET" && row.method !== "DELETE";
      const response = await raw(row.method, url, hasBody ? bodies[at] : undefined);
      expect(response.status).toBeLessThan(500);
      if (!response.ok) await expectProblem(response);
    }
    expect(server.stderr()).not.toContain("A request failed");
  });
});

describe("a body", () => {
  const patch = (body: string | Uint8Array, type?: string) => raw("PATCH", "/api/me", body, type);

  test.each<[string, string | Uint8Array]>([
    ["not JSON", "{"],
    ["not JSON", "{'a':1}"],
    ["not JSON", '{"status_message":"x"} trailing'],
    ["duplicate key", '{"status_message":"x","status_message":"y"}'],
    ["duplicate key", '{"status_message":"x","status\\u005fmessage":"y"}'],
    ["forbidden key", '{"__proto__":{"admin":true}}'],
    ["forbidden key", '{"\\u005f_proto__":{}}'],
    ["lone surrogate", '{"status_message":"\\ud800"}'],
    ["nested too deeply", `{"status_message":${"[".repeat(20)}${"]".repeat(20)}}`],
    ["nested too deeply", "[".repeat(60_000)],
    ["not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ["expected object", "[]"],
    ["expected object", "null"],
    ["expected object", '"text"'],
    ["Unrecognized key", '{"constructor":{"prototype":{}}}'],
  ])("is refused: %s (%s)", async (why, body) => {
    const { status, body: problem } = await expectProblem(await patch(body));
    expect([status, problem["code"]]).toEqual([400, "bad_request"]);
    expect(problem.detail).toContain(why);
  });

  test("of another type is refused", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml", "x"]) {
      expect(await expectProblem(await patch("{}", type))).toEqual(refused("bad_request"));
    }
    expect((await patch("{}", "application/json; charset=utf-8")).status).toBe(200);
  });

  test("may be missing where nothing is required", async () => {
    expect((await patch("")).status).toBe(200);
  });

  test("may have fields that nobody knows, but for patches of the own account", async () => {
    const [other] = (await server.createUsers(1)) as [TestUser];
    const params = { id: other.userId };
    const contact = { token: user.token, params, body: { name: "Bob", colour: "blue" } };
    expect((await api(server, "PUT /api/contacts/:id", contact)).status).toBe(204);
    expect(await expectProblem(await patch('{"colour":"blue"}'))).toEqual(refused("bad_request"));
  });

  test("of more than 128 KiB is too large, whether its length is told or not", async () => {
    const large = JSON.stringify({ status_message: "x".repeat(131_072) });
    expect(await expectProblem(await patch(large))).toEqual(refused("too_large"));
    const authorization = `Bearer ${user.token}`;
    const chunked = httpRequest(`${server.url}/api/me`, {
      method: "PATCH",
      headers: { authorization, "content-type": "application/json", "transfer-encoding": "chunked" },
    });
    chunked.on("error", () => {});
    chunked.end(large);
    const [response] = (await once(chunked, "response")) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(413);
    expect((await patch(JSON.stringify({ status_message: "x" }) + " ".repeat(100_000))).status).toBe(200);
  });
});

describe("an address", () => {
  test.each([
    ["GET", "/"],
    ["GET", "/api"],
    ["GET", "/api/nothing"],
    ["GET", "/api/me/"],
    ["GET", "/API/me"],
    ["POST", "/api/me"],
    ["PUT", "/api/me"],
    ["DELETE", "/api/me"],
    ["GET", "/api/register"],
    ["OPTIONS", "/api/me"],
    ["PATCH", "/api/devices/1"],
    ["GET", "/ws"],
    ["GET", "/api/users/by-handle/a/b"],
  ])("that is not there is not found: %s %s", async (method, path) => {
    expect(await expectProblem(await raw(method, path, undefined))).toEqual(refused("not_found"));
  });

  test.each(["/api/users/%zz", `/api/users/${"x".repeat(200)}`])(
    "that is broken is a problem as well: %s",
    async (path) => {
      expect(await expectProblem(await raw("GET", path))).toEqual(refused("bad_request"));
    },
  );

  test("can be asked for its head", async () => {
    const response = await raw("HEAD", "/api/me");
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

describe("what is not HTTP", () => {
  const problemIn = (answer: string): Body => JSON.parse(answer.split("\r\n\r\n")[1] as string) as Body;

  test("gets a problem and the end of its connection", async () => {
    const answer = await overSocket("rubbish\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain("connection: close");
    expect(problemIn(answer)).toMatchObject({ status: 400, code: "bad_request" });
  });

  test("and a head that is too large", async () => {
    const answer = await overSocket(`GET /api/me HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(problemIn(answer)).toMatchObject({ status: 431, code: "too_large" });
  });
});

describe("GET /api/openapi.json", () => {
  test("is the document of the operations, for everybody", async () => {
    const response = await fetch(`${server.url}/api/openapi.json`);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(endpoints))));
  });
});

describe("requests of one user", () => {
  test("are limited where nothing else limits them", async () => {
    const [other] = (await server.createUsers(1)) as [TestUser];
    await server.admin("PUT", "/admin/limits", { preset: "default" });
    try {
      const asked = Array.from({ length: 130 }, () => api(server, "GET /api/me", { token: other.token }));
      const answers = await Promise.all(asked);
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(100);
      expect(answers).toContainEqual(refused("rate_limited"));
      expect((await api(server, "GET /api/me", { token: user.token })).status).toBe(200);
    } finally {
      await server.admin("PUT", "/admin/limits", { preset: "off" });
    }
  });
});
