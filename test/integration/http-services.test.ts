import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSystemRandom } from "../../src/base/random.ts";
import { createLogger } from "../../src/base/logger.ts";
import { limits } from "../../src/protocol/limits.ts";
import { createAccounts } from "../../src/server/accounts/accounts.ts";
import { createPasswords } from "../../src/server/accounts/passwords.ts";
import { resolveConfig, type ResolvedConfig } from "../../src/server/config/resolve-config.ts";
import { registerApi } from "../../src/server/http/register-api.ts";
import type { ApiServices } from "../../src/server/http/services.ts";
import { createListener } from "../../src/server/listener.ts";
import { openServer, type Server } from "../../src/server/open-server.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

const folder = temporaryFolder();
const log = createLogger({ level: "silent", format: "json", destination: { write() {} } });
const passwords = createPasswords({
  random: createSystemRandom(),
  cost: { argon2id: { memoryKib: 8, passes: 1, lanes: 1 }, scrypt: { logRounds: 4, blockSize: 1, lanes: 1 } },
});

function configOf(values: Readonly<Record<string, string | number | boolean>>): ResolvedConfig {
  const entries = Object.entries(values).map(([path, value]) => ({ path, value, origin: "test" }));
  const resolved = resolveConfig({ entries, problems: [] });
  if ("problems" in resolved) throw new Error(JSON.stringify(resolved.problems));
  return resolved;
}

let opened: Server;
beforeAll(async () => {
  opened = await openServer(configOf({ "data.directory": `${folder.path}/a`, "limits.preset": "off" }), log);
});
afterAll(async () => {
  await opened.node.destroy();
  folder[Symbol.dispose]();
});

/** The API over the real stores, with parts exchanged and a clock that is ahead. */
function apiOf(over: Partial<ApiServices> = {}, aheadMs = 0) {
  const { context } = opened;
  const clock = { ...context.clock, nowMs: () => Date.now() + aheadMs };
  const accounts = createAccounts({ ...context.accountDeps, rules: context.rules, passwords, clock });
  const failures: string[] = [];
  const app = createListener();
  registerApi(app, {
    core: context.core,
    accounts,
    users: context.ports.users,
    relations: context.ports.relations,
    settings: context.ports.settings,
    presence: context.presence,
    presenceChanged: () => {},
    media: context.media,
    publicUrl: undefined,
    proxiesTrusted: 0,
    rateLimits: context.rateLimits,
    bus: context.ports.bus,
    rules: () => context.rules,
    clock,
    random: context.random,
    authenticate: (token) => accounts.authenticate(token),
    onFailure: (_error, operation) => void failures.push(operation),
    ...over,
  });
  return { app, failures };
}

let made = 0;
async function registered(): Promise<Record<string, string>> {
  const payload = { handle: `person${++made}`, password: "correct horse" };
  const answer = await apiOf().app.inject({ method: "POST", url: "/api/register", payload });
  return answer.json();
}
const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });

describe("tokens and time", () => {
  test("an access token ends after its hour, and its refresh token still renews it", async () => {
    const { access_token, refresh_token } = await registered();
    const me = { url: "/api/me", headers: bearer(access_token) };
    expect((await apiOf({}, limits.accessTokenTtlMs - 5_000).app.inject(me)).statusCode).toBe(200);
    const later = apiOf({}, limits.accessTokenTtlMs + 1).app;
    const expired = await later.inject(me);
    expect(expired.statusCode).toBe(401);
    expect(expired.json()).toMatchObject({ code: "unauthenticated" });
    const renewed = await later.inject({ method: "POST", url: "/api/refresh", payload: { refresh_token } });
    expect(renewed.statusCode).toBe(200);
    const headers = bearer(renewed.json<Record<string, string>>()["access_token"]);
    expect((await later.inject({ url: "/api/me", headers })).statusCode).toBe(200);
  });

  test("a refresh token ends after its sixty days", async () => {
    const { refresh_token } = await registered();
    const { app } = apiOf({}, limits.refreshTokenTtlMs + 1);
    const answer = await app.inject({ method: "POST", url: "/api/refresh", payload: { refresh_token } });
    expect(answer.json()).toMatchObject({ status: 401, code: "unauthenticated" });
  });
});

describe("failures of ours", () => {
  test("are told as internal, without a word of what happened, and reported with their operation", async () => {
    const { access_token } = await registered();
    const users = { ...opened.context.ports.users, byId: () => Promise.reject(new Error("a path, a secret")) };
    const { app, failures } = apiOf({ users });
    const answer = await app.inject({ url: "/api/me", headers: bearer(access_token) });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([500, "application/problem+json"]);
    expect(answer.json()).toMatchObject({ code: "internal", temporary: true });
    expect(answer.body).not.toContain("secret");
    expect(failures).toEqual(["GET /api/me"]);
  });

  test("before the operation are told in the same way", async () => {
    const { app, failures } = apiOf({ authenticate: () => Promise.reject(new Error("the store is gone")) });
    const answer = await app.inject({ url: "/api/me", headers: bearer("abc") });
    expect(answer.json()).toMatchObject({ status: 500, code: "internal" });
    expect(failures).toEqual(["GET /api/me"]);
  });
});

describe("contacts and blocks", () => {
  test("are bounded", async () => {
    const [one, other] = [await registered(), await registered()];
    const relations = {
      ...opened.context.ports.relations,
      putContact: () => Promise.resolve(false),
    };
    const { app } = apiOf({ relations });
    const url = `/api/contacts/${other["user_id"]}`;
    const answer = await app.inject({ method: "PUT", url, headers: bearer(one["access_token"]), payload: {} });
    expect(answer.json()).toMatchObject({ status: 409, code: "too_many" });
  });
});

describe("the administrative port", () => {
  const base = { "http.port": 0, "admin.port": 0 };

  test("is closed unless it is configured", async () => {
    const { node } = await openServer(configOf({ ...base, "data.directory": `${folder.path}/b` }), log);
    const { adminUrl, url } = await node.start({ anyPort: true });
    expect(adminUrl).toBeUndefined();
    for (const path of ["/admin/memory", "/metrics", "/readyz"]) expect((await fetch(url + path)).status).toBe(404);
    await node.destroy();
  });

  test("without a token answers platforms and nobody else", async () => {
    const values = { ...base, "data.directory": `${folder.path}/c`, "admin.enabled": true };
    const { node } = await openServer(configOf(values), log);
    const { adminUrl } = await node.start({ anyPort: true });
    const statusOf = async (path: string, authorization: string): Promise<number> =>
      (await fetch(`${adminUrl}${path}`, { headers: { authorization } })).status;
    for (const path of ["/livez", "/readyz", "/metrics"]) expect(await statusOf(path, "")).toBe(200);
    for (const path of ["/admin/memory", "/debug/config"])
      for (const authorization of ["", "Bearer", "Bearer undefined"])
        expect(await statusOf(path, authorization)).toBe(404);
    await node.destroy();
  });
});
