import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { messageTo, RawClient, refusal } from "../helpers/raw-client.ts";
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

async function oneUser(devices = 1): Promise<TestUser> {
  return (await server.createUsers(1, devices))[0] as TestUser;
}

describe("the upgrade", () => {
  test("without a token, with a wrong one or with one in the URL is 401 with a problem document", async () => {
    const { token } = await oneUser();
    for (const [url, headers] of [
      [server.wsUrl, {}],
      [server.wsUrl, { authorization: "Bearer nonsense" }],
      [`${server.wsUrl}?token=${token}&access_token=${token}`, {}],
    ] as const) {
      const refused = await refusal(url, ["msgr.v1"], headers);
      expect(refused.status).toBe(401);
      expect(refused.problem).toMatchObject({ code: "unauthenticated", status: 401, temporary: false });
      expect(refused.headers["content-type"]).toBe("application/problem+json");
    }
  });

  test("without the subprotocol is 426", async () => {
    const { token } = await oneUser();
    const refused = await refusal(server.wsUrl, ["other"], { authorization: `Bearer ${token}` });
    expect([refused.status, refused.headers["sec-websocket-protocol"]]).toEqual([426, "msgr.v1"]);
  });

  test("elsewhere than /ws is 404", async () => {
    const refused = await refusal(`${server.wsUrl}/x`, ["msgr.v1"], {});
    expect(refused.status).toBe(404);
  });

  test("with the token as second subprotocol, as browsers must, opens", async () => {
    const { token, device } = await oneUser();
    const ws = new WebSocket(server.wsUrl, ["msgr.v1", `msgr.token.${token}`]);
    await using client = new RawClient(ws);
    ws.on("open", () => client.send({ type: "HELLO", device, client: { name: "b", version: "1" } }));
    await client.expect((frame) => frame.type === "WELCOME");
    expect(ws.protocol).toBe("msgr.v1");
  });
});

describe("the greeting", () => {
  test("WELCOME tells who one is and what the limits are", async () => {
    const user = await oneUser();
    await using client = await RawClient.open(server.wsUrl, user.token);
    client.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
    const welcome = await client.expect((frame) => frame.type === "WELCOME");
    expect(welcome).toMatchObject({ user_id: user.userId, device: user.device, heartbeat_ms: 30_000 });
    expect(Math.abs(welcome["server_time"] - Date.now())).toBeLessThan(30_000);
    expect(welcome["limits"].frame_bytes_max).toBe(131_072);
  });

  test("HELLO of another device ends with 4506", async () => {
    const user = await oneUser();
    await using client = await RawClient.open(server.wsUrl, user.token);
    client.send({ type: "HELLO", device: user.device + 1, client: { name: "test", version: "1" } });
    expect(await client.closed()).toMatchObject({ code: 4506 });
  });

  test("no HELLO ends with 4004 after five seconds", async () => {
    const user = await oneUser();
    // The server counts from the upgrade, which is after this and before its client hears of it.
    const started = performance.now();
    await using client = await RawClient.open(server.wsUrl, user.token);
    expect(await client.closed()).toMatchObject({ code: 4004 });
    const waited = performance.now() - started;
    expect(waited).toBeGreaterThan(4_900);
    // Before it is taken for dead at any rate; what it is on top of five seconds is the machine's.
    expect(waited).toBeLessThan(30_000);
  });

  test("anything before HELLO is refused and not fatal", async () => {
    const user = await oneUser();
    await using client = await RawClient.open(server.wsUrl, user.token);
    expect(await client.ask(messageTo(user.userId, "early", 0))).toMatchObject({ type: "ERROR", code: "bad_request" });
    client.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
    await client.expect((frame) => frame.type === "WELCOME");
  });

  test("a newer connection of the device ends the older with 4504", async () => {
    const user = await oneUser();
    await using first = await RawClient.greet(server.wsUrl, user);
    await using second = await RawClient.greet(server.wsUrl, user);
    expect(await first.closed()).toMatchObject({ code: 4504 });
    second.send({ type: "HEARTBEAT" });
    await second.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });

  test("a connection that was opened earlier and says HELLO later ends with 4504, and the newer one goes on", async () => {
    const user = await oneUser();
    await using late = await RawClient.open(server.wsUrl, user.token);
    await using newer = await RawClient.greet(server.wsUrl, user);
    late.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
    expect(await late.closed()).toMatchObject({ code: 4504 });
    newer.send({ type: "HEARTBEAT" });
    await newer.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });
});

describe("bad frames", () => {
  const heartbeat = JSON.stringify({ type: "HEARTBEAT" });
  test.each<[string, string | Buffer, number]>([
    ["malformed", "{", 4500],
    ["no object", "[]", 4500],
    ["deeply nested", "[".repeat(100_000), 4500],
    ["with a key twice", '{"type":"HEARTBEAT","type":"HELLO"}', 4500],
    ["with __proto__", '{"type":"HEARTBEAT","__proto__":{}}', 4500],
    ["with a lone surrogate", '{"type":"HEARTBEAT","x":"\\ud800"}', 4500],
    ["binary", Buffer.from(heartbeat), 4500],
    ["a little too large", " ".repeat(131_073), 4505],
    ["far too large", " ".repeat(4_000_000), 4505],
  ])("%s ends the connection", async (_name, bytes, code) => {
    const user = await oneUser();
    await using client = await RawClient.greet(server.wsUrl, user);
    client.ws.send(bytes, { binary: typeof bytes !== "string" });
    expect((await client.closed()).code).toBe(code);
  });

  test("too many fragments, broken UTF-8 and broken framing end it too", async () => {
    const user = await oneUser();
    await using fragments = await RawClient.greet(server.wsUrl, user);
    for (let count = 0; count < 100; count++) fragments.ws.send(" ", { fin: false });
    expect((await fragments.closed()).code).toBe(4500);
    await using utf8 = await RawClient.greet(server.wsUrl, user);
    utf8.ws.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
    expect((await utf8.closed()).code).toBe(4500);
    await using framing = await RawClient.greet(server.wsUrl, user);
    framing.writeRaw(Buffer.from([0xff, 0xff, 0, 0, 0]));
    expect((await framing.closed()).code).toBe(4500);
  });

  test("an unknown type or a wrong field is an error with the request, and the connection goes on", async () => {
    const user = await oneUser();
    await using client = await RawClient.greet(server.wsUrl, user);
    expect(await client.ask({ type: "CALL" })).toMatchObject({ code: "unknown_frame", temporary: false });
    const wrong = await client.ask({ ...messageTo(user.userId, "x", 0), since: -1 });
    expect(wrong).toMatchObject({ code: "bad_request", temporary: false });
    expect(wrong["message"]).toContain("since");
    const junk = await client.ask({ ...messageTo(user.userId, "x", 0), envelope: "@@@@" });
    expect(junk).toMatchObject({ code: "bad_envelope" });
    client.send({ type: "HEARTBEAT" });
    await client.expect((frame) => frame.type === "HEARTBEAT_ACK");
  });
});

describe("the end of a session", () => {
  test("a removed device is closed with 4502, a logged-out one with 4501, at once", async () => {
    const [first, second] = (await server.createUsers(1, 2)) as [TestUser, TestUser];
    await using a = await RawClient.greet(server.wsUrl, first);
    await using b = await RawClient.greet(server.wsUrl, second);
    const headers = { authorization: `Bearer ${first.token}` };
    const removed = await fetch(`${server.url}/api/devices/${second.device}`, { method: "DELETE", headers });
    expect(removed.status).toBe(204);
    expect((await b.closed(promptlyMs)).code).toBe(4502);
    expect((await fetch(`${server.url}/api/logout`, { method: "POST", headers })).status).toBe(204);
    expect((await a.closed(promptlyMs)).code).toBe(4501);
    expect((await refusal(server.wsUrl, ["msgr.v1"], headers)).status).toBe(401);
  });
});
