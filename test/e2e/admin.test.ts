import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, expectProblem, refused, type Body } from "../helpers/api.ts";
import { RawClient } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const usersOf = async (response: Response): Promise<readonly Body[]> =>
  ((await response.json()) as { users: readonly Body[] }).users;
const create = (users: unknown) => server.admin("POST", "/admin/users", { users });

describe("making users in bulk", () => {
  test("makes 10,000 at once, each logged in", async () => {
    const wanted = Array.from({ length: 10_000 }, (_, at) => ({ handle: `bulk${at}` }));
    const response = await create(wanted);
    expect(response.status).toBe(200);
    const users = await usersOf(response);
    expect(users.map(({ handle }) => handle)).toEqual(wanted.map(({ handle }) => handle));
    expect(new Set(users.map(({ user_id }) => user_id)).size).toBe(10_000);
    for (const at of [0, 4_999, 9_999]) {
      const { body } = await api(server, "GET /api/me", { token: users[at]?.access_token });
      expect(body).toMatchObject({ user_id: users[at]?.user_id, handle: `bulk${at}`, display_name: `bulk${at}` });
    }
  });

  test("logs in as many devices as asked for, which connect", async () => {
    const users = await usersOf(await create([{ handle: "many.devices", display_name: "Many", devices: 3 }]));
    expect(users.map(({ device }) => device)).toEqual([1, 2, 3]);
    expect(new Set(users.map(({ user_id }) => user_id)).size).toBe(1);
    const [, second] = users as [Body, Body, Body];
    const { user_id: userId, handle, device, access_token: token } = second;
    await using client = await RawClient.greet(server.wsUrl, { userId, handle, device, token });
    expect(client.ws.protocol).toBe("msgr.v1");
  });

  test("is all or nothing", async () => {
    await create([{ handle: "first.one" }]);
    const taken = await expectProblem(await create([{ handle: "second.one" }, { handle: "First.One" }]));
    expect(taken).toEqual(refused("handle_taken"));
    expect((await create([{ handle: "second.one" }])).status).toBe(200);
    expect(await expectProblem(await create([{ handle: "twice.one" }, { handle: "twice.one" }]))).toEqual(
      refused("handle_taken"),
    );
  });

  test.each<[string, unknown]>([
    ["nobody", []],
    ["no list", {}],
    ["a wrong handle", [{ handle: "!" }]],
    ["no device", [{ handle: "fine.one", devices: 0 }]],
    ["six devices", [{ handle: "fine.one", devices: 6 }]],
    ["more than 10,000", Array.from({ length: 10_001 }, (_, at) => ({ handle: `over${at}` }))],
  ])("refuses %s", async (_what, users) => {
    expect(await expectProblem(await create(users))).toEqual(refused("bad_request"));
  });

  test("makes accounts that no password opens", async () => {
    await create([{ handle: "no.password" }]);
    for (const password of ["", "password"]) {
      const answer = await api(server, "POST /api/login", { body: { handle: "no.password", password } });
      expect(answer).toEqual(refused("wrong_password"));
    }
  });
});

describe("the administrative port", () => {
  const routes = [
    ["POST", "/admin/users"],
    ["PUT", "/admin/limits"],
    ["POST", "/admin/drain"],
    ["GET", "/admin/memory"],
    ["GET", "/debug/config"],
  ] as const;

  test.each(routes)("wants its token for %s %s", async (method, path) => {
    for (const authorization of [
      undefined,
      "Bearer wrong",
      "a secret of this test run",
      "bearer a secret of this test run",
    ]) {
      const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
      const body = method === "GET" ? {} : { body: '{"preset":"off"}' };
      const response = await fetch(`${server.adminUrl}${path}`, { method, headers, ...body });
      expect(await expectProblem(response)).toEqual(refused("unauthenticated"));
    }
    expect((await fetch(`${server.adminUrl}/readyz`)).status).toBe(200);
  });

  test("takes no user's token, and its own opens nothing for users", async () => {
    const [user] = await server.createUsers(1);
    const headers = { authorization: `Bearer ${user?.token}` };
    expect((await fetch(`${server.adminUrl}/admin/memory`, { headers })).status).toBe(401);
    expect(await api(server, "GET /api/me", { token: "asecretofthistestrun" })).toEqual(refused("unauthenticated"));
  });

  test("is not the public one, and the other way round", async () => {
    for (const [, path] of routes) expect((await fetch(`${server.url}${path}`)).status).toBe(404);
    expect((await fetch(`${server.adminUrl}/api/me`)).status).toBe(404);
  });

  test("answers what it does not know and what is broken with problems", async () => {
    expect(await expectProblem(await server.admin("GET", "/admin/nothing"))).toEqual(refused("not_found"));
    expect(await expectProblem(await server.admin("PUT", "/admin/limits", { preset: "none" }))).toEqual(
      refused("bad_request"),
    );
    expect(await expectProblem(await server.admin("PUT", "/admin/limits"))).toEqual(refused("bad_request"));
  });

  test("measures memory", async () => {
    const measured = (await (await server.admin("GET", "/admin/memory")).json()) as Record<string, number | boolean>;
    expect(measured["collected"]).toBe(true);
    expect(measured["rss_bytes"]).toBeGreaterThan(measured["heap_used_bytes"] as number);
    expect(measured["heap_used_bytes"]).toBeGreaterThan(1_000_000);
    expect(measured["external_bytes"]).toBeGreaterThan(0);
  });

  test("switches the limits at once, there and back", async () => {
    const login = () => api(server, "POST /api/login", { body: { handle: "nobody.at.all", password: "guess" } });
    const preset = async (name: string): Promise<void> => {
      expect((await server.admin("PUT", "/admin/limits", { preset: name })).status).toBe(204);
    };
    for (const name of ["default", "bench"]) {
      await preset(name);
      const answers = await Promise.all(Array.from({ length: 8 }, login));
      expect(answers).toContainEqual(refused("rate_limited"));
    }
    await preset("off");
    expect(await login()).toEqual(refused("wrong_password"));
  });
});
