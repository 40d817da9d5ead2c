import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, refused, type Body } from "../helpers/api.ts";
import { RawClient, refusal } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** What happens at once, on a machine that is busy with other tests. */
const promptlyMs = 20_000;

let made = 0;
const password = "correct horse";
const newHandle = (): string => `person${++made}`;

async function register(fields: object = {}): Promise<Body> {
  const body = { handle: newHandle(), password, ...fields };
  const answer = await api(server, "POST /api/register", { body });
  expect(answer.status).toBe(201);
  return answer.body;
}

const login = (body: object) => api(server, "POST /api/login", { body });
const me = (token: string | undefined) => api(server, "GET /api/me", { token });

describe("POST /api/register", () => {
  test("makes an account whose first device is logged in", async () => {
    const body = await register({ display_name: "Ada Lovelace", device_name: "Engine" });
    expect(body.device).toBe(1);
    const { body: account } = await me(body.access_token);
    expect(account).toMatchObject({ user_id: body.user_id, handle: body.handle, display_name: "Ada Lovelace" });
    const devices = await api(server, "GET /api/devices", { token: body.access_token });
    expect(devices.body).toMatchObject({ devices: [{ device: 1, name: "Engine" }] });
  });

  test("takes phone numbers, and names somebody after the handle who gives no name", async () => {
    const handle = "+4915112345678";
    const body = await register({ handle });
    expect((await me(body.access_token)).body).toMatchObject({ handle, display_name: handle });
  });

  test("refuses a handle that is taken, whatever its case", async () => {
    const { handle } = await register();
    const again = { handle: handle.toUpperCase(), password };
    expect(await api(server, "POST /api/register", { body: again })).toEqual(refused("handle_taken"));
  });

  test.each<[string, object]>([
    ["handle", { handle: "a!" }],
    ["handle", { handle: "12345" }],
    ["handle", { handle: "x".repeat(33) }],
    ["handle", { handle: 5 }],
    ["password", { password: "short" }],
    ["password", { password: "x".repeat(257) }],
    ["display_name", { display_name: "" }],
    ["display_name", { display_name: " padded" }],
    ["display_name", { display_name: "bell\u0007" }],
    ["display_name", { display_name: "x".repeat(65) }],
    ["device_name", { device_name: "x".repeat(65) }],
  ])("names a wrong %s: %j", async (field, wrong) => {
    const answer = await api(server, "POST /api/register", { body: { handle: newHandle(), password, ...wrong } });
    expect(answer).toEqual(refused("bad_request"));
    expect(answer.body.detail).toContain(`body.${field}`);
  });
});

describe("POST /api/login", () => {
  test("logs in an existing device or a new one, and notes the time", async () => {
    const { handle, access_token, user_id } = await register();
    const before = (await me(access_token)).body["last_login_at"] as number;
    const second = await login({ handle, password });
    expect(second).toMatchObject({ status: 200, body: { user_id, handle, device: 2 } });
    const same = await login({ handle: handle.toUpperCase(), password, device: 2 });
    expect(same).toMatchObject({ status: 200, body: { handle, device: 2 } });
    expect(await me(second.body.access_token)).toEqual(refused("unauthenticated"));
    expect((await me(same.body.access_token)).body["last_login_at"]).toBeGreaterThanOrEqual(before);
  });

  test("says the same of a wrong password, a handle nobody has and an account without password", async () => {
    const { handle } = await register();
    const [bulk] = (await server.createUsers(1)) as [TestUser];
    for (const wrong of [{ handle }, { handle: "nobody_has_this" }, { handle: bulk.handle }, { handle: "" }]) {
      const answer = await login({ ...wrong, password: "not the password" });
      expect(answer).toEqual(refused("wrong_password"));
      expect(answer.body.detail).toBe("The handle or the password is wrong.");
    }
  });

  test("refuses a sixth device, and a device that the account does not have", async () => {
    const { handle } = await register();
    for (let device = 2; device <= 5; device++) expect((await login({ handle, password })).body.device).toBe(device);
    expect(await login({ handle, password })).toEqual(refused("too_many_devices"));
    expect(await login({ handle, password, device: 6 })).toEqual(refused("no_such_device"));
    expect((await login({ handle, password, device: 3 })).status).toBe(200);
  });

  test("is limited for a handle, and says how long to wait", async () => {
    const { handle } = await register();
    await server.admin("PUT", "/admin/limits", { preset: "default" });
    try {
      for (let attempt = 0; attempt < 5; attempt++) {
        expect(await login({ handle, password: "guessed it" })).toEqual(refused("wrong_password"));
      }
      const answer = await login({ handle, password });
      expect(answer).toEqual(refused("rate_limited"));
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(50);
    } finally {
      await server.admin("PUT", "/admin/limits", { preset: "off" });
    }
  });
});

describe("POST /api/refresh", () => {
  test("gives the next pair and ends the one before", async () => {
    const first = await register();
    const next = await api(server, "POST /api/refresh", { body: { refresh_token: first.refresh_token } });
    expect(next).toMatchObject({ status: 200, body: { user_id: first.user_id, handle: first.handle, device: 1 } });
    expect(await me(first.access_token)).toEqual(refused("unauthenticated"));
    expect((await me(next.body.access_token)).status).toBe(200);
  });

  test("of a token that was used before ends the session and its connection, not those of other devices", async () => {
    const first = await register();
    const other = (await login({ handle: first.handle, password })).body;
    const next = (await api(server, "POST /api/refresh", { body: { refresh_token: first.refresh_token } })).body;
    await using client = await RawClient.greet(server.wsUrl, userOf(next));
    const stolen = await api(server, "POST /api/refresh", { body: { refresh_token: first.refresh_token } });
    expect(stolen).toEqual(refused("token_reused"));
    expect((await client.closed(promptlyMs)).code).toBe(4501);
    expect(await me(next.access_token)).toEqual(refused("unauthenticated"));
    const later = await api(server, "POST /api/refresh", { body: { refresh_token: next.refresh_token } });
    expect(later).toEqual(refused("unauthenticated"));
    expect((await me(other.access_token)).status).toBe(200);
  });

  test.each([{ refresh_token: "nonsense" }, { refresh_token: "" }])("of %j is refused", async (body) => {
    expect(await api(server, "POST /api/refresh", { body })).toEqual(refused("unauthenticated"));
  });

  test("of an access token is refused, and a refresh token is no access token", async () => {
    const { access_token, refresh_token } = await register();
    const body = { refresh_token: access_token };
    expect(await api(server, "POST /api/refresh", { body })).toEqual(refused("unauthenticated"));
    expect(await me(refresh_token)).toEqual(refused("unauthenticated"));
    expect(await api(server, "POST /api/refresh", { body: {} })).toEqual(refused("bad_request"));
  });
});

const userOf = (body: Body): TestUser => ({
  userId: body.user_id,
  handle: body.handle,
  device: body.device,
  token: body.access_token,
});

describe("tokens", () => {
  test("that are missing, wrong or of another scheme are refused by every operation that wants one", async () => {
    const { access_token } = await register();
    for (const token of [undefined, "", "nonsense", `${access_token}x`, access_token.slice(0, -1)]) {
      expect(await me(token)).toEqual(refused("unauthenticated"));
    }
    for (const authorization of [access_token, `Basic ${access_token}`, `Bearer ${access_token} x`]) {
      const response = await fetch(`${server.url}/api/me`, { headers: { authorization } });
      expect(response.status).toBe(401);
    }
    const response = await fetch(`${server.url}/api/me?access_token=${access_token}`);
    expect(response.status).toBe(401);
  });
});

describe("POST /api/logout", () => {
  test("ends the session of this device; the device stays and can be logged in again", async () => {
    const first = await register();
    const second = (await login({ handle: first.handle, password })).body;
    expect((await api(server, "POST /api/logout", { token: first.access_token })).status).toBe(204);
    expect(await me(first.access_token)).toEqual(refused("unauthenticated"));
    const dead = await api(server, "POST /api/refresh", { body: { refresh_token: first.refresh_token } });
    expect(dead).toEqual(refused("unauthenticated"));
    expect((await me(second.access_token)).status).toBe(200);
    expect((await login({ handle: first.handle, password, device: 1 })).body.device).toBe(1);
  });

  test("everywhere ends every session and every connection", async () => {
    const first = await register();
    const second = (await login({ handle: first.handle, password })).body;
    await using a = await RawClient.greet(server.wsUrl, userOf(first));
    await using b = await RawClient.greet(server.wsUrl, userOf(second));
    const answer = await api(server, "POST /api/logout", { token: first.access_token, body: { scope: "all" } });
    expect(answer.status).toBe(204);
    expect([(await a.closed(promptlyMs)).code, (await b.closed(promptlyMs)).code]).toEqual([4501, 4501]);
    for (const { access_token } of [first, second]) {
      expect(await me(access_token)).toEqual(refused("unauthenticated"));
      const upgrade = await refusal(server.wsUrl, ["msgr.v1"], { authorization: `Bearer ${access_token}` });
      expect(upgrade.status).toBe(401);
    }
  });

  test("knows two scopes", async () => {
    const { access_token: token } = await register();
    expect(await api(server, "POST /api/logout", { token, body: { scope: "world" } })).toEqual(refused("bad_request"));
    expect((await me(token)).status).toBe(200);
  });
});

describe("devices", () => {
  test("are listed, and removing one ends its tokens and its connection at once", async () => {
    const first = await register();
    const token = first.access_token;
    const second = (await login({ handle: first.handle, password, device_name: "Tablet" })).body;
    await using client = await RawClient.greet(server.wsUrl, userOf(second));
    const listed = await api(server, "GET /api/devices", { token });
    expect(listed.body["devices"]).toMatchObject([{ device: 1 }, { device: 2, name: "Tablet" }]);
    const gone = await api(server, "DELETE /api/devices/:device", { token, params: { device: 2 } });
    expect(gone.status).toBe(204);
    expect((await client.closed(promptlyMs)).code).toBe(4502);
    expect(await me(second.access_token)).toEqual(refused("unauthenticated"));
    expect((await api(server, "GET /api/devices", { token })).body["devices"]).toMatchObject([{ device: 1 }]);
  });

  test("that are not there cannot be removed, nor those of others", async () => {
    const first = await register();
    const other = await register();
    await login({ handle: other.handle, password });
    const remove = (device: string | number) =>
      api(server, "DELETE /api/devices/:device", { token: first.access_token, params: { device } });
    expect(await remove(2)).toEqual(refused("no_such_device"));
    for (const wrong of ["0", "-1", "1.5", "x", "99999999999"])
      expect(await remove(wrong)).toEqual(refused("bad_request"));
    expect((await api(server, "GET /api/devices", { token: other.access_token })).body["devices"]).toHaveLength(2);
  });

  test("make room for another one when they go", async () => {
    const { handle, access_token: token } = await register();
    for (let device = 2; device <= 5; device++) await login({ handle, password });
    await api(server, "DELETE /api/devices/:device", { token, params: { device: 3 } });
    const next = await login({ handle, password });
    expect(next.status).toBe(200);
    expect([1, 2, 4, 5]).not.toContain(next.body.device);
  });
});

describe("the own profile", () => {
  test("is changed as far as the patch says", async () => {
    const { access_token: token, user_id } = await register();
    const body = { status_message: "at sea", photo_url: "https://example.org/ada.png" };
    const changed = await api(server, "PATCH /api/me", { token, body });
    expect(changed).toMatchObject({ status: 200, body: { user_id, ...body } });
    const next = await api(server, "PATCH /api/me", { token, body: { display_name: "Ada", photo_url: "" } });
    expect(next.body).toMatchObject({ display_name: "Ada", status_message: "at sea" });
    expect(next.body["photo_url"]).toBeUndefined();
    expect((await me(token)).body).toEqual(next.body);
    expect((await api(server, "PATCH /api/me", { token, body: {} })).body).toEqual(next.body);
  });

  test.each<object>([
    { display_name: "" },
    { display_name: null },
    { status_message: "x".repeat(141) },
    { photo_url: "javascript:alert(1)" },
    { photo_url: "not a url" },
    { photo_url: `https://example.org/${"x".repeat(512)}` },
    { handle: "another" },
    { settings: {} },
  ])("does not take %j", async (body) => {
    const { access_token: token } = await register();
    expect(await api(server, "PATCH /api/me", { token, body })).toEqual(refused("bad_request"));
  });
});

describe("the settings", () => {
  test("have defaults, and change one by one", async () => {
    const { access_token: token } = await register();
    const before = await api(server, "GET /api/me/settings", { token });
    expect(before.body).toMatchObject({ last_seen: "everyone", groups: "everyone", read_receipts: true });
    const body = { about: "contacts", message_notifications: false, notification_sound: "chime" };
    const changed = await api(server, "PATCH /api/me/settings", { token, body });
    expect(changed.body).toEqual({ ...before.body, ...body });
    expect((await api(server, "GET /api/me/settings", { token })).body).toEqual(changed.body);
    expect((await me(token)).body["settings"]).toEqual(changed.body);
  });

  test.each<object>([
    { last_seen: "friends" },
    { read_receipts: "no" },
    { notification_sound: "x".repeat(65) },
    { colour: "blue" },
  ])("do not take %j", async (body) => {
    const { access_token: token } = await register();
    expect(await api(server, "PATCH /api/me/settings", { token, body })).toEqual(refused("bad_request"));
  });
});
