import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startServer, temporaryFolder, type ServerProcess } from "../helpers/server-process.ts";
import { call, newId, opened, sealed, Stranger, type Json } from "../helpers/stranger-client.ts";

// A client written from docs/protocol.md alone talks to a server that it knows by its address. Nothing of src is imported
// here or by the client; a tidy test holds it to that.

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

let registered = 0;

async function register(name: string): Promise<Stranger> {
  const handle = `${name}.${++registered}`;
  const answer = await call(server.url, undefined, "POST", "/api/register", { handle, password: `${name}'s secret` });
  expect(answer.status).toBe(201);
  return new Stranger(server.url, answer.body);
}

async function connected(name: string): Promise<Stranger> {
  const stranger = await register(name);
  await stranger.connect();
  await stranger.sync();
  return stranger;
}

describe("two strangers", () => {
  test("register, log in, and find each other", async () => {
    const ann = await register("ann");
    const bob = await register("bob");
    const login = { handle: ann.login["handle"], password: "ann's secret", device_name: "second" };
    const second = await call(server.url, undefined, "POST", "/api/login", login);
    expect(second).toMatchObject({ status: 200, body: { user_id: ann.userId, device: 2 } });
    const wrong = await call(server.url, undefined, "POST", "/api/login", { ...login, password: "ann's mistake" });
    expect(wrong).toMatchObject({ status: 401, body: { code: "wrong_password", temporary: false } });
    expect(wrong.headers.get("content-type")).toBe("application/problem+json");
    const found = await ann.http("GET", `/api/users/by-handle/${String(bob.login["handle"])}`);
    expect(found).toMatchObject({ status: 200, body: { user_id: bob.userId, display_name: bob.login["handle"] } });
  });

  test("talk: WELCOME, ACK, a retry, a push, DELIVERED, READ_RECEIPT, STATUS_UPDATE", async () => {
    await using ann = await register("ann");
    const welcome = await ann.connect();
    expect(welcome).toMatchObject({ user_id: ann.userId, device: 1, heartbeat_ms: 30_000 });
    expect(await ann.sync()).toEqual([]);
    ann.send({ type: "HEARTBEAT" });
    expect(Math.abs(((await ann.next("HEARTBEAT_ACK"))["server_time"] as number) - Date.now())).toBeLessThan(30_000);
    await using bob = await connected("bob");

    const id = newId();
    const first = await ann.say({ user: bob.userId }, "hello", 0, id);
    expect(first).toMatchObject({ type: "ACK", message_id: id, seq: 1, status: "sent", ucount: 1 });
    const again = await ann.say({ user: bob.userId }, "hello", 0, id);
    expect(again).toMatchObject({ seq: 1, sent_at: first["sent_at"], conversation_id: first["conversation_id"] });
    const conversation_id = first["conversation_id"] as string;

    const row = await bob.next("NEW_MESSAGE");
    expect(row).toMatchObject({ conversation_id, seq: 1, message_id: id, sender: { user: ann.userId, device: 1 } });
    expect(opened(row["envelope"] as string)).toEqual({ text: "hello" });
    const delivered = await bob.ask({ type: "DELIVERED", conversation_id, from: 1, seq: 1 }, "RECEIPT_ACK");
    expect(delivered).toMatchObject({ accepted: true, registers: { recv_seq: 1, read_seq: 0, last_ucount: 1 } });
    expect(await ann.next("STATUS_UPDATE")).toMatchObject({ user_id: bob.userId, recv_seq: 1, read_seq: 0 });
    const read = await bob.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 }, "RECEIPT_ACK");
    expect(read["registers"]).toMatchObject({ read_seq: 1, read_ucount: 1 });
    expect(await ann.next("STATUS_UPDATE")).toMatchObject({ user_id: bob.userId, read_seq: 1 });
    const loose = await bob.ask({ type: "DELIVERED", conversation_id, from: 3, seq: 4 }, "RECEIPT_ACK");
    expect(loose).toMatchObject({ accepted: false, registers: { recv_seq: 1 } });
    const counted = await ann.ask({ type: "RECEIPTS", conversation_id, seq: 1 }, "RECEIPTS_PAGE");
    expect(counted).toMatchObject({ total: 1, delivered: 1, read: 1 });
  });

  test("miss messages while away, and sync by cursors, RANGE and HISTORY", async () => {
    await using ann = await connected("ann");
    await using bob = await connected("bob");
    const { conversation_id } = await ann.say({ user: bob.userId }, "m1", 0);
    await bob.next("NEW_MESSAGE");
    await bob.disconnect();
    for (let count = 2; count <= 5; count++) await ann.say({ conversation: conversation_id }, `m${count}`, count - 1);
    await bob.connect();
    const pages = await bob.sync();
    expect(pages).toMatchObject([
      { kind: "direct", peer_id: ann.userId, from: 2, to: 5, has_more: false, registers: { last_seq: 5 } },
    ]);
    expect(bob.texts(conversation_id as string)).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    expect(await bob.sync()).toEqual([]);

    const range = await bob.ask({ type: "RANGE", conversation_id, from: 2, to: 9 }, "RANGE_PAGE");
    expect([range["from"], range["to"], range["has_more"]]).toEqual([2, 5, false]);
    expect((range["messages"] as Json[]).map((row) => row["seq"])).toEqual([2, 3, 4, 5]);
    const history = await bob.ask({ type: "HISTORY", conversation_id, before_seq: 5, limit: 2 }, "HISTORY_PAGE");
    expect((history["messages"] as Json[]).map((row) => row["seq"])).toEqual([3, 4]);
    expect(history["has_more"]).toBe(true);
    const over = await bob.http("GET", `/api/conversations/${String(conversation_id)}/messages?before=5&limit=2`);
    const { type: _type, request: _request, ...fields } = history;
    expect(over).toMatchObject({ status: 200, body: fields });
  });

  test("far behind, the newest rows come first and the rest down to the receipts follows", async () => {
    await using ann = await connected("ann");
    await using bob = await register("bob");
    const count = 230;
    const sends = Array.from({ length: count }, (_, at) => ann.say({ user: bob.userId }, `m${at + 1}`, 0));
    const { conversation_id } = (await Promise.all(sends))[0] as Json;
    await bob.connect();
    const pages = await bob.sync();
    expect(pages[0]).toMatchObject({ from: count - 49, to: count, has_more: true });
    expect(pages.at(-1)).toMatchObject({ from: 1, has_more: false });
    expect(bob.filledTo(conversation_id as string)).toBe(count);
    const receipt = { type: "READ_RECEIPT", conversation_id, from: 1, seq: count };
    expect(await bob.ask(receipt, "RECEIPT_ACK")).toMatchObject({ accepted: true });
    const login = { handle: bob.login["handle"], password: "bob's secret" };
    await using second = new Stranger(
      server.url,
      (await call(server.url, undefined, "POST", "/api/login", login)).body,
    );
    await second.connect();
    expect(await second.sync()).toMatchObject([{ from: count - 49, to: count }]);
  });

  test("a cursor ahead of the server is named with its conversation", async () => {
    await using ann = await connected("ann");
    await using bob = await connected("bob");
    const { conversation_id } = await ann.say({ user: bob.userId }, "m1", 0);
    const cursors = [{ conversation_id, seq: 7, read: 0, peer_recv: 0, peer_read: 0 }];
    const refused = await ann.ask({ type: "SYNC", cursors }, "SYNC_DONE");
    expect(refused).toMatchObject({ type: "ERROR", code: "cursor_ahead", conversation_id, temporary: false });
    expect(await ann.say({ user: bob.userId }, "m2", 7)).toMatchObject({ code: "cursor_ahead" });
  });

  test("watch each other and see each other type", async () => {
    await using ann = await connected("ann");
    await using bob = await register("bob");
    ann.send({ type: "WATCH", user_ids: [bob.userId] });
    expect(await ann.next("PRESENCE")).toEqual({ type: "PRESENCE", user_id: bob.userId, online: false });
    await bob.connect();
    expect(await ann.next("PRESENCE")).toMatchObject({ user_id: bob.userId, online: true });
    const { conversation_id } = await ann.say({ user: bob.userId }, "there?", 0);
    bob.send({ type: "TYPING", conversation_id });
    expect(await ann.next("TYPING")).toEqual({ type: "TYPING", conversation_id, user_id: bob.userId });
    await bob.disconnect();
    const left = await ann.next("PRESENCE");
    expect(left["online"]).toBe(false);
    expect(Math.abs((left["last_seen"] as number) - Date.now())).toBeLessThan(30_000);
  });

  test("what is read on one device is read on the other", async () => {
    await using ann = await connected("ann");
    await using bob = await connected("bob");
    const login = { handle: bob.login["handle"], password: "bob's secret" };
    await using other = new Stranger(server.url, (await call(server.url, undefined, "POST", "/api/login", login)).body);
    await other.connect();
    const { conversation_id } = await ann.say({ user: bob.userId }, "hello", 0);
    await other.next("NEW_MESSAGE");
    await bob.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 }, "RECEIPT_ACK");
    expect(await other.next("STATUS_UPDATE")).toMatchObject({ user_id: bob.userId, read_seq: 1, read_ucount: 1 });
    const reply = { to: { conversation: conversation_id }, message_id: newId(), since: 1, kind: 3 };
    const envelope = sealed({ text: "hi", target: newId() });
    const viewed = { read_from: 1, read: 1 };
    await bob.ask({ type: "SEND_MESSAGE", ...reply, ...viewed, envelope }, "ACK");
    expect(await other.next("NEW_MESSAGE")).toMatchObject({ seq: 2, kind: 3, sender: { user: bob.userId, device: 1 } });
  });
});

describe("a group of three", () => {
  test("adds, removes, leaves, rejoins; what was not for a member is unreadable to it", async () => {
    await using ann = await connected("ann");
    await using bob = await connected("bob");
    await using cem = await connected("cem");
    const group_id = newId();
    const create = { group_id, message_id: newId(), name: "Hiking", user_ids: [bob.userId, cem.userId] };
    const created = await ann.http("POST", "/api/groups", create);
    expect(created).toMatchObject({ status: 201, body: { group_id, name: "Hiking", creator_id: ann.userId } });
    expect(await ann.http("POST", "/api/groups", create)).toEqual({ ...created, headers: expect.anything() });
    expect(await cem.next("CONVERSATION_UPDATE")).toMatchObject({
      conversation_id: group_id,
      kind: "group",
      change: "created",
      name: "Hiking",
    });
    const system = await cem.next("NEW_MESSAGE");
    expect(system).toMatchObject({ conversation_id: group_id, seq: 1, kind: 7 });
    expect(opened(system["envelope"] as string)).toMatchObject({ change: "create", actor: ann.userId, name: "Hiking" });

    await ann.say({ conversation: group_id }, "for all", 1);
    const change = async (who: Stranger, method: string, path: string, fields: Json = {}): Promise<Json> => {
      const { membership } = (await ann.http("GET", `/api/groups/${group_id}`)).body;
      const named = { message_id: newId(), expected_version: membership, ...fields };
      const query = method === "DELETE" ? `?message_id=${named.message_id}&expected_version=${String(membership)}` : "";
      return who.http(method, `/api/groups/${group_id}${path}${query}`, method === "DELETE" ? undefined : named);
    };
    const membersOf = (answer: Json): string[] =>
      ((answer["body"] as Json)["members"] as Json[]).map((member) => member["user_id"] as string).toSorted();

    const removed = await change(ann, "DELETE", `/members/${cem.userId}`);
    expect(membersOf(removed)).toEqual([ann.userId, bob.userId].toSorted());
    expect(await cem.next("CONVERSATION_UPDATE")).toMatchObject({ change: "left", registers: { left_seq: 4 } });
    expect(await cem.say({ conversation: group_id }, "still here?", 2)).toMatchObject({ code: "not_a_member" });
    await ann.say({ conversation: group_id }, "not for cem", 3);
    const added = await change(ann, "PUT", "/members", { user_ids: [cem.userId] });
    expect(membersOf(added)).toEqual([ann.userId, bob.userId, cem.userId].toSorted());
    await ann.say({ conversation: group_id }, "for all again", 5);

    await cem.next("NEW_MESSAGE", (frame) => frame["seq"] === 6);
    const [hole] = await cem.sync();
    expect(hole).toMatchObject({ kind: "group", unreadable: [[4, 4]], gone: [] });
    expect(cem.filledTo(group_id)).toBe(6);
    expect(cem.texts(group_id)).toEqual(["for all", "for all again"]);
    const range = await cem.ask({ type: "RANGE", conversation_id: group_id, from: 1, to: 6 }, "RANGE_PAGE");
    expect(range["unreadable"]).toEqual([[4, 4]]);
    const receipt = await cem.ask({ type: "DELIVERED", conversation_id: group_id, from: 5, seq: 6 }, "RECEIPT_ACK");
    expect(receipt).toMatchObject({ accepted: true, registers: { joined_seq: 5, left_seq: 0 } });

    await bob.ask({ type: "READ_RECEIPT", conversation_id: group_id, from: 1, seq: 6 }, "RECEIPT_ACK");
    const counted = await ann.ask({ type: "RECEIPTS", conversation_id: group_id, seq: 6 }, "RECEIPTS_PAGE");
    expect(counted).toMatchObject({ total: 2, delivered: 2, read: 1 });
    expect(await ann.next("STATUS_UPDATE", (frame) => frame["user_id"] === bob.userId)).toMatchObject({ read_seq: 6 });

    const left = await change(bob, "DELETE", `/members/${bob.userId}`);
    expect(membersOf(left)).toEqual([ann.userId, cem.userId].toSorted());
    expect(await bob.http("GET", `/api/groups/${group_id}`)).toMatchObject({
      status: 403,
      body: { code: "not_a_member" },
    });
    const renamed = await change(ann, "PATCH", "", { name: "Biking" });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Biking" } });
    const stale = { message_id: newId(), expected_version: 1, name: "Old" };
    expect(await ann.http("PATCH", `/api/groups/${group_id}`, stale)).toMatchObject({
      body: { code: "version_conflict" },
    });
    expect(await change(cem, "PATCH", "", { name: "Mine" })).toMatchObject({
      status: 403,
      body: { code: "forbidden" },
    });
  });

  test("a change that is sent again is one change", async () => {
    await using ann = await connected("ann");
    const bob = await register("bob");
    const group_id = newId();
    await ann.http("POST", "/api/groups", { group_id, message_id: newId(), name: "Twice", user_ids: [] });
    const { membership } = (await ann.http("GET", `/api/groups/${group_id}`)).body;
    const add = { message_id: newId(), expected_version: membership, user_ids: [bob.userId] };
    const first = await ann.http("PUT", `/api/groups/${group_id}/members`, add);
    const twice = await ann.http("PUT", `/api/groups/${group_id}/members`, add);
    expect(twice.body).toEqual(first.body);
    const log = await ann.http("GET", `/api/conversations/${group_id}/messages`);
    expect(log.body["messages"]).toHaveLength(2);
  });
});

describe("sessions and refusals", () => {
  test("a refreshed token works, the old pair is dead, and a refresh token that comes twice ends the session", async () => {
    await using ann = await connected("ann");
    const { refresh_token } = ann.login;
    const next = await call(server.url, undefined, "POST", "/api/refresh", { refresh_token });
    expect(next).toMatchObject({ status: 200, body: { user_id: ann.userId, device: ann.login["device"] } });
    expect(await ann.http("GET", "/api/me")).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    const fresh = new Stranger(server.url, next.body);
    expect((await fresh.http("GET", "/api/me")).status).toBe(200);
    // The connection outlives its access token.
    ann.send({ type: "HEARTBEAT" });
    await ann.next("HEARTBEAT_ACK");
    const closed = ann.closed();
    const reused = await call(server.url, undefined, "POST", "/api/refresh", { refresh_token });
    expect(reused).toMatchObject({ status: 401, body: { code: "token_reused" } });
    expect(await closed).toBe(4501);
    expect((await fresh.http("GET", "/api/me")).status).toBe(401);
  });

  test.each<[string, string, number]>([
    ["text that is no JSON", "{", 4500],
    ["the same key twice", '{"type":"HEARTBEAT","type":"HEARTBEAT"}', 4500],
    ["__proto__", '{"type":"HEARTBEAT","__proto__":1}', 4500],
    ["a frame over 128 KiB", `{"type":"HEARTBEAT","x":"${"x".repeat(131_072)}"}`, 4505],
    ["another device's HELLO", '{"type":"HELLO","device":9,"client":{"name":"x","version":"1"}}', 4506],
  ])("%s ends the connection with its code", async (_what, text, code) => {
    const { login } = await register("ann");
    const headers = { authorization: `Bearer ${String(login["access_token"])}` };
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/ws`, "msgr.v1", { headers });
    await once(ws, "open");
    ws.send(text);
    const [closed] = (await once(ws, "close")) as [number];
    expect(closed).toBe(code);
  });

  test("one connection a device: the newer one closes the older with 4504", async () => {
    const ann = await register("ann");
    await ann.connect();
    await using newer = new Stranger(server.url, ann.login);
    const closed = ann.closed();
    await newer.connect();
    expect(await closed).toBe(4504);
  });

  test("a type nobody knows and a wrong field are errors, not the end", async () => {
    await using ann = await connected("ann");
    expect(await ann.ask({ type: "TELEPORT" }, "ACK")).toMatchObject({ code: "unknown_frame" });
    expect(await ann.say({ user: "somebody" }, "x", 0)).toMatchObject({ code: "bad_request" });
    expect(await ann.say({ user: newId() }, "x", 0)).toMatchObject({ code: "no_such_user" });
    ann.send({ type: "HEARTBEAT", and_more: true });
    await ann.next("HEARTBEAT_ACK");
  });

  test("logged out everywhere, every device is closed", async () => {
    await using ann = await connected("ann");
    const closed = ann.closed();
    expect((await ann.http("POST", "/api/logout", { scope: "all" })).status).toBe(204);
    expect(await closed).toBe(4501);
  });
});
