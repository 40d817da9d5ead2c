import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, refused, type Body } from "../helpers/api.ts";
import { envelopeOf, messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
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

async function people<const Count extends number>(count: Count): Promise<readonly TestUser[] & { length: Count }> {
  return (await server.createUsers(count)) as readonly TestUser[] & { length: Count };
}

async function pair(): Promise<readonly [TestUser, TestUser]> {
  const [alice, bob] = await people(2);
  return [alice as TestUser, bob as TestUser];
}

const settings = (user: TestUser, body: object) => api(server, "PATCH /api/me/settings", { token: user.token, body });
const profile = async (viewer: TestUser, owner: TestUser): Promise<Body> =>
  (await api(server, "GET /api/users/:id", { token: viewer.token, params: { id: owner.userId } })).body;
const block = (owner: TestUser, other: TestUser) =>
  api(server, "PUT /api/blocks/:id", { token: owner.token, params: { id: other.userId } });
const unblock = (owner: TestUser, other: TestUser) =>
  api(server, "DELETE /api/blocks/:id", { token: owner.token, params: { id: other.userId } });
const putContact = (owner: TestUser, other: TestUser, body?: object) =>
  api(server, "PUT /api/contacts/:id", { token: owner.token, params: { id: other.userId }, body });
const send = (from: TestUser, to: TestUser, since: number) =>
  api(server, "POST /api/messages", {
    token: from.token,
    body: { to: { user: to.userId }, message_id: newMessageId(), since, kind: 1, envelope: envelopeOf("hello") },
  });
const conversations = async (user: TestUser) =>
  (await api(server, "GET /api/conversations", { token: user.token })).body.conversations;
const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";

describe("profiles", () => {
  test("are found by id and by handle in any case", async () => {
    const [alice, bob] = await pair();
    const found = await profile(alice, bob);
    expect(found).toEqual({
      user_id: bob.userId,
      handle: bob.handle,
      display_name: bob.handle,
      status_message: "",
    });
    const params = { handle: bob.handle.toUpperCase() };
    expect((await api(server, "GET /api/users/by-handle/:handle", { token: alice.token, params })).body).toEqual(found);
  });

  test("that do not exist are named", async () => {
    const [alice] = await pair();
    const { token } = alice;
    const byId = await api(server, "GET /api/users/:id", { token, params: { id: newMessageId() } });
    expect(byId).toEqual(refused("no_such_user"));
    const byHandle = await api(server, "GET /api/users/by-handle/:handle", { token, params: { handle: "nobody" } });
    expect(byHandle).toEqual(refused("no_such_user"));
    const wrong = await api(server, "GET /api/users/:id", { token, params: { id: alice.userId.toUpperCase() } });
    expect(wrong).toEqual(refused("bad_request"));
  });

  test.each(["everyone", "contacts", "nobody"])(
    "show photo and status to %s, and to nobody who is blocked",
    async (audience) => {
      const [owner, contact, stranger, blocked] = (await people(4)) as unknown as [
        TestUser,
        TestUser,
        TestUser,
        TestUser,
      ];
      const body = { status_message: "at sea", photo_url: "https://example.org/x.png" };
      await api(server, "PATCH /api/me", { token: owner.token, body });
      await settings(owner, { about: audience, profile_photo: audience });
      await putContact(owner, contact);
      await putContact(owner, blocked);
      await block(owner, blocked);
      for (const [viewer, sees] of [
        [owner, true],
        [contact, audience !== "nobody"],
        [stranger, audience === "everyone"],
        [blocked, false],
      ] as const) {
        const { status_message, photo_url } = await profile(viewer, owner);
        expect({ status_message, photo_url }).toEqual(sees ? body : {});
      }
    },
  );
});

describe("contacts", () => {
  test("are put, renamed, listed and removed, again and again", async () => {
    const [alice, bob] = await pair();
    const list = async () => (await api(server, "GET /api/contacts", { token: alice.token })).body["contacts"];
    expect(await list()).toEqual([]);
    expect((await putContact(alice, bob)).status).toBe(204);
    expect(await list()).toEqual([{ user_id: bob.userId, name: "" }]);
    expect((await putContact(alice, bob, { name: "Bobby" })).status).toBe(204);
    expect(await list()).toEqual([{ user_id: bob.userId, name: "Bobby" }]);
    for (let times = 0; times < 2; times++) {
      const params = { id: bob.userId };
      const removed = await api(server, "DELETE /api/contacts/:id", { token: alice.token, params });
      expect(removed.status).toBe(204);
      expect(await list()).toEqual([]);
    }
  });

  test("have to exist and to be named properly", async () => {
    const [alice, bob] = await pair();
    expect(await putContact(alice, { ...bob, userId: newMessageId() })).toEqual(refused("no_such_user"));
    expect(await putContact(alice, bob, { name: "x".repeat(65) })).toEqual(refused("bad_request"));
  });
});

describe("blocks", () => {
  test("are put, listed and removed, again and again", async () => {
    const [alice, bob] = await pair();
    const list = async () => (await api(server, "GET /api/blocks", { token: alice.token })).body["blocks"];
    for (let times = 0; times < 2; times++) expect((await block(alice, bob)).status).toBe(204);
    expect(await list()).toEqual([bob.userId]);
    for (let times = 0; times < 2; times++) expect((await unblock(alice, bob)).status).toBe(204);
    expect(await list()).toEqual([]);
  });

  test("are of others who exist", async () => {
    const [alice, bob] = await pair();
    const nobody = { ...bob, userId: newMessageId() };
    expect(await block(alice, nobody)).toEqual(refused("no_such_user"));
    expect(await unblock(alice, nobody)).toEqual(refused("no_such_user"));
    expect(await block(alice, alice)).toEqual(refused("bad_request"));
  });
});

describe("a blocked sender", () => {
  test("gets a tick and no more; the other side is neither told, nor listed, nor counted, and finds a void row", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    await block(bob, alice);
    const ack = await a.ask(messageTo(bob.userId, "hello?", 0));
    expect(ack).toMatchObject({ type: "ACK", seq: 1, status: "sent", max_status: "sent", ucount: 0 });
    const { conversation_id } = ack;
    const over = await send(alice, bob, 1);
    expect(over).toMatchObject({ status: 201, body: { seq: 2, status: "sent", max_status: "sent" } });
    await expect(b.expect(isMessage, 400)).rejects.toThrow("no such frame");
    expect(await conversations(bob)).toEqual([]);
    expect(await conversations(alice)).toMatchObject([{ conversation_id, registers: { last_seq: 2, own_seq: 2 } }]);
    const params = { id: conversation_id };
    const unseen = await api(server, "GET /api/conversations/:id/messages", { token: bob.token, params });
    expect(unseen).toEqual(refused("no_such_conversation"));
    const own = await api(server, "GET /api/conversations/:id/messages", { token: alice.token, params });
    expect(own.body.messages).toMatchObject([
      { seq: 1, max_status: "sent" },
      { seq: 2, max_status: "sent" },
    ]);

    await unblock(bob, alice);
    const later = await a.ask(messageTo(bob.userId, "now?", 2));
    expect(later).toMatchObject({ seq: 3, ucount: 1 });
    expect(later["max_status"]).toBeUndefined();
    expect(await b.expect(isMessage)).toMatchObject({ seq: 3 });
    const seen = await api(server, "GET /api/conversations/:id/messages", { token: bob.token, params });
    expect(seen.body.messages).toMatchObject([
      { seq: 1, kind: 0 },
      { seq: 2, kind: 0 },
      { seq: 3, kind: 1 },
    ]);
    expect(seen.body.messages[0]).toEqual({ seq: 1, kind: 0 });
    expect(await conversations(bob)).toMatchObject([{ registers: { last_seq: 3, last_ucount: 1, read_ucount: 0 } }]);

    await b.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 3 });
    for (const [seq, told] of [
      [1, { total: 1, delivered: 0, read: 0 }],
      [3, { total: 1, delivered: 1, read: 1 }],
    ] as const) {
      const answer = await api(server, "GET /api/conversations/:id/receipts", {
        token: alice.token,
        params,
        query: { seq },
      });
      expect(answer.body).toMatchObject(told);
    }
  });

  test("is told the same when the answer got lost and the message is sent again", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await block(bob, alice);
    const draft = messageTo(bob.userId, "hello?", 0);
    const first = await a.ask(draft);
    await unblock(bob, alice);
    const { request: _first, ...told } = first;
    expect(await a.ask(draft)).toMatchObject(told);
  });

  test("still writes to a group of both", async () => {
    const [alice, bob] = await pair();
    const group_id = newMessageId();
    const body = { group_id, message_id: newMessageId(), name: "Both", user_ids: [bob.userId] };
    await api(server, "POST /api/groups", { token: alice.token, body });
    await block(bob, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const message = { message_id: newMessageId(), since: 1, kind: 1, envelope: envelopeOf("hello") };
    const sent = await api(server, "POST /api/messages", {
      token: alice.token,
      body: { to: { conversation: group_id }, ...message },
    });
    expect(sent.body["max_status"]).toBeUndefined();
    expect(await b.expect(isMessage)).toMatchObject({ conversation_id: group_id, seq: 2 });
  });
});

describe("presence", () => {
  const look = async (viewer: TestUser, ids: readonly string[]): Promise<readonly Body[]> =>
    (await api(server, "GET /api/presence", { token: viewer.token, query: { ids: ids.join(",") } })).body.presence;

  test.each(["everyone", "contacts", "nobody"])("of one who shows it to %s", async (audience) => {
    const [owner, contact, stranger, blocked] = (await people(4)) as unknown as [
      TestUser,
      TestUser,
      TestUser,
      TestUser,
    ];
    await settings(owner, { last_seen: audience });
    await putContact(owner, contact);
    await putContact(owner, blocked);
    await block(owner, blocked);
    await using online = await RawClient.greet(server.wsUrl, owner);
    expect(online.ws.readyState).toBe(WebSocket.OPEN);
    for (const [viewer, sees] of [
      [owner, true],
      [contact, audience !== "nobody"],
      [stranger, audience === "everyone"],
      [blocked, false],
    ] as const) {
      const [state] = await look(viewer, [owner.userId]);
      expect(state).toMatchObject({ user_id: owner.userId, online: sees });
      expect(state?.["last_seen"] === undefined).toBe(!sees);
    }
  });

  test("keeps the order asked for, and shows nobody like one who hides", async () => {
    const [alice, bob] = await pair();
    await using online = await RawClient.greet(server.wsUrl, bob);
    expect(online.ws.readyState).toBe(WebSocket.OPEN);
    const nobody = newMessageId();
    const states = await look(alice, [nobody, bob.userId, alice.userId]);
    expect(states.map((state) => [state.user_id, state["online"]])).toEqual([
      [nobody, false],
      [bob.userId, true],
      [alice.userId, false],
    ]);
  });

  test.each([
    ["no ids", ""],
    ["a wrong id", "x"],
    ["too many ids", Array.from({ length: 257 }, newMessageId).join(",")],
  ])("refuses %s", async (_what, ids) => {
    const [alice] = await pair();
    const answer = await api(server, "GET /api/presence", { token: alice.token, query: { ids } });
    expect(answer).toEqual(refused("bad_request"));
  });
});

describe("read receipts", () => {
  test.each(["the reader", "the sender"])("that %s gives up are given and seen by neither", async (who) => {
    const [alice, bob] = await pair();
    await settings(who === "the reader" ? bob : alice, { read_receipts: false });
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const { conversation_id } = await a.ask(messageTo(bob.userId, "hello", 0));
    const read = await b.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 });
    expect(read).toMatchObject({ accepted: true, registers: { read_seq: 1, recv_seq: 1 } });
    const status = await a.expect((frame) => frame.type === "STATUS_UPDATE");
    expect(status).toMatchObject({ user_id: bob.userId, recv_seq: 1, read_seq: 0 });
    expect(await conversations(alice)).toMatchObject([{ registers: { peer_recv_seq: 1, peer_read_seq: 0 } }]);
    const params = { id: conversation_id };
    const page = await api(server, "GET /api/conversations/:id/receipts", {
      token: alice.token,
      params,
      query: { seq: 1 },
    });
    expect(page.body).toMatchObject({ total: 1, delivered: 1, read: 0 });
    expect(await conversations(bob)).toMatchObject([{ registers: { read_seq: 1, read_ucount: 1, last_ucount: 1 } }]);
  });

  test("that are on are seen", async () => {
    const [alice, bob] = await pair();
    await using b = await RawClient.greet(server.wsUrl, bob);
    const { conversation_id } = (await send(alice, bob, 0)).body;
    await b.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 });
    expect(await conversations(alice)).toMatchObject([{ registers: { peer_recv_seq: 1, peer_read_seq: 1 } }]);
  });
});
