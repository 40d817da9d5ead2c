import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshBytes, uploadAll } from "../helpers/media.ts";
import { api, refused, type Answer, type Body } from "../helpers/api.ts";
import { envelopeOf, messageTo, newMessageId, RawClient } from "../helpers/raw-client.ts";
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

async function pair(): Promise<readonly [TestUser, TestUser]> {
  return (await server.createUsers(2)) as unknown as readonly [TestUser, TestUser];
}

const post = (from: TestUser, body: object): Promise<Answer> =>
  api(server, "POST /api/messages", { token: from.token, body });
const draft = (to: object, since: number, fields: object = {}) => ({
  to,
  message_id: newMessageId(),
  since,
  kind: 1,
  envelope: envelopeOf("hello"),
  ...fields,
});
const page = (user: TestUser, id: string, query: Record<string, string | number> = {}) =>
  api(server, "GET /api/conversations/:id/messages", { token: user.token, params: { id }, query });
const list = (user: TestUser, query: Record<string, string | number> = {}) =>
  api(server, "GET /api/conversations", { token: user.token, query });
const seqs = (answer: Answer): number[] => answer.body.messages.map((row) => row["seq"] as number);

describe("POST /api/messages", () => {
  test("is the send of the WebSocket: acked when stored, pushed to both sides' devices", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const sent = await post(alice, draft({ user: bob.userId }, 0));
    expect(sent).toMatchObject({ status: 201, body: { seq: 1, status: "sent", ucount: 1 } });
    const pushed = { type: "NEW_MESSAGE", seq: 1, message_id: sent.body["message_id"] };
    expect(await b.expect((frame) => frame.type === "NEW_MESSAGE")).toMatchObject(pushed);
    // The device whose token it was gets it by the answer; a frame and its twin go on with one another's seqs.
    expect(await a.ask(messageTo(bob.userId, "again", 1))).toMatchObject({ seq: 2, ucount: 2 });
  });

  test("is idempotent by message_id, over either way", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const once = draft({ user: bob.userId }, 0);
    const first = await post(alice, once);
    expect((await post(alice, once)).body).toEqual(first.body);
    expect(await a.ask({ type: "SEND_MESSAGE", ...once })).toMatchObject(first.body);
    expect(await post(bob, { ...once, to: { user: alice.userId } })).toEqual(refused("id_conflict"));
  });

  test("carries every optional field", async () => {
    const [alice, bob] = await pair();
    const { conversation_id } = (await post(bob, draft({ user: alice.userId }, 0))).body;
    const media_id = await uploadAll(server, alice.token, freshBytes(10));
    const rich = { kind: 2, media_id, read_from: 1, read: 1 };
    await post(alice, draft({ conversation: conversation_id }, 1, rich));
    expect((await page(bob, conversation_id)).body.messages[1]).toMatchObject({ kind: 2, media_id });
    expect((await list(alice)).body.conversations).toMatchObject([{ registers: { read_seq: 2, own_seq: 2 } }]);
  });

  test("refuses by name", async () => {
    const [alice, bob] = await pair();
    const [mallory] = await pair();
    const to = { user: bob.userId };
    const { conversation_id } = (await post(alice, draft(to, 0))).body;
    expect(await post(alice, draft({ user: newMessageId() }, 0))).toEqual(refused("no_such_user"));
    expect(await post(alice, draft({ conversation: newMessageId() }, 0))).toEqual(refused("no_such_conversation"));
    expect(await post(mallory, draft({ conversation: conversation_id }, 0))).toEqual(refused("no_such_conversation"));
    expect(await post(alice, draft(to, 9))).toEqual(refused("cursor_ahead"));
    const group_id = newMessageId();
    const body = { group_id, message_id: newMessageId(), name: "Two", user_ids: [] };
    await api(server, "POST /api/groups", { token: alice.token, body });
    expect(await post(mallory, draft({ conversation: group_id }, 0))).toEqual(refused("not_a_member"));
  });

  test.each([65_537, 65_600, 90_000])("refuses an envelope of %d bytes", async (bytes) => {
    const [alice, bob] = await pair();
    const envelope = Buffer.alloc(bytes).toString("base64");
    expect(await post(alice, draft({ user: bob.userId }, 0, { envelope }))).toEqual(refused("bad_envelope"));
  });

  test.each<[string, object]>([
    ["bad_envelope", { envelope: "not base64!" }],
    ["bad_envelope", { envelope: "aGk" }],
    ["bad_envelope", { envelope: "-_-_" }],
    ["bad_request", { kind: 0 }],
    ["bad_request", { kind: 7 }],
    ["bad_request", { kind: 128 }],
    ["bad_request", { kind: "1" }],
    ["bad_request", { since: -1 }],
    ["bad_request", { since: 1.5 }],
    ["bad_request", { message_id: "0199a0c2-0000-4000-8000-000000000001" }],
    ["bad_request", { to: {} }],
    ["bad_request", { to: { user: "bob" } }],
    ["bad_request", { media_id: 5 }],
  ])("says %s to %j", async (code, fields) => {
    const [alice, bob] = await pair();
    expect((await post(alice, draft({ user: bob.userId }, 0, fields))).body["code"]).toBe(code);
  });

  test("takes an envelope of 64 KiB", async () => {
    const [alice, bob] = await pair();
    const envelope = Buffer.alloc(65_536, 7).toString("base64");
    const { conversation_id } = (await post(alice, draft({ user: bob.userId }, 0, { envelope }))).body;
    expect((await page(bob, conversation_id)).body.messages).toMatchObject([{ envelope }]);
  });

  test("and frames have one limit together", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await server.admin("PUT", "/admin/limits", { preset: "default" });
    try {
      const acks = await Promise.all(Array.from({ length: 60 }, () => a.ask(messageTo(bob.userId, "x", 0))));
      expect(acks.every((ack) => ack.type === "ACK")).toBe(true);
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(alice, draft({ user: bob.userId }, 0))));
      expect(answers).toContainEqual(refused("rate_limited"));
    } finally {
      await server.admin("PUT", "/admin/limits", { preset: "off" });
    }
  });
});

describe("GET /api/conversations", () => {
  test("pages through the list, most recent first", async () => {
    const [alice, ...others] = (await server.createUsers(8)) as [TestUser, ...TestUser[]];
    for (const other of others) await post(other, draft({ user: alice.userId }, 0));
    const newestFirst = others.map(({ userId }) => userId).toReversed();
    const whole = await list(alice);
    expect(whole.body.conversations.map((row) => row["peer_id"])).toEqual(newestFirst);
    expect(whole.body["next"]).toBeUndefined();
    const walked: Body[] = [];
    let next: string | undefined;
    do {
      const { body } = await list(alice, { limit: 3, ...(next === undefined ? {} : { cursor: next }) });
      walked.push(...body.conversations);
      next = body["next"] as string | undefined;
    } while (next !== undefined);
    expect(walked).toEqual(whole.body.conversations);
  });

  test("leaves out nobody who moves up meanwhile", async () => {
    const [alice, ...others] = (await server.createUsers(6)) as [TestUser, ...TestUser[]];
    for (const other of others) await post(other, draft({ user: alice.userId }, 0));
    const first = await list(alice, { limit: 2 });
    // The oldest, which stood on the last page, becomes the newest.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await post(others[0] as TestUser, draft({ user: alice.userId }, 1));
    const rest = await list(alice, { limit: 50, cursor: first.body["next"] as string });
    const seen = [...first.body.conversations, ...rest.body.conversations].map((row) => row["peer_id"]);
    expect(new Set(seen)).toEqual(new Set(others.map(({ userId }) => userId)));
    expect(seen).toHaveLength(others.length);
  });

  test("of nobody is empty", async () => {
    const [alice] = await pair();
    expect((await list(alice)).body).toEqual({ conversations: [] });
  });

  test.each<Record<string, string>>([
    { limit: "0" },
    { limit: "201" },
    { limit: "x" },
    { limit: "1e2" },
    { cursor: "x" },
  ])("does not take %j", async (query) => {
    const [alice] = await pair();
    expect(await list(alice, query)).toEqual(refused("bad_request"));
  });
});

describe("GET /api/conversations/:id/messages", () => {
  test("gives pages backwards, each ascending, without a hole", async () => {
    const [alice, bob] = await pair();
    let id = "";
    for (let since = 0; since < 7; since++)
      ({ conversation_id: id } = (await post(alice, draft({ user: bob.userId }, since))).body);
    const newest = await page(bob, id, { limit: 3 });
    expect([seqs(newest), newest.body["has_more"]]).toEqual([[5, 6, 7], true]);
    const middle = await page(bob, id, { limit: 3, before: 5 });
    expect([seqs(middle), middle.body["has_more"]]).toEqual([[2, 3, 4], true]);
    const oldest = await page(bob, id, { limit: 3, before: 2 });
    expect([seqs(oldest), oldest.body["has_more"]]).toEqual([[1], false]);
    expect(seqs(await page(bob, id, { before: 1 }))).toEqual([]);
    expect(seqs(await page(bob, id))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("is refused to others, and for wrong bounds", async () => {
    const [alice, bob] = await pair();
    const [mallory] = await pair();
    const { conversation_id } = (await post(alice, draft({ user: bob.userId }, 0))).body;
    expect(await page(mallory, conversation_id)).toEqual(refused("no_such_conversation"));
    expect(await page(alice, newMessageId())).toEqual(refused("no_such_conversation"));
    for (const query of [{ before: 0 }, { before: "x" }, { limit: 0 }, { limit: 201 }]) {
      expect(await page(alice, conversation_id, query)).toEqual(refused("bad_request"));
    }
    expect(await page(alice, "x")).toEqual(refused("bad_request"));
  });
});

describe("GET /api/conversations/:id/receipts", () => {
  test("says who got it and who read it", async () => {
    const [alice, bob] = await pair();
    const { conversation_id: id } = (await post(alice, draft({ user: bob.userId }, 0))).body;
    await using b = await RawClient.greet(server.wsUrl, bob);
    await b.ask({ type: "DELIVERED", conversation_id: id, from: 1, seq: 1 });
    const receipts = (query: Record<string, number>) =>
      api(server, "GET /api/conversations/:id/receipts", { token: alice.token, params: { id }, query });
    const counted = await receipts({ seq: 1 });
    expect(counted.body).toMatchObject({ conversation_id: id, total: 1, delivered: 1, read: 0 });
    const bobs = counted.body.members.find((member) => member.user_id === bob.userId);
    expect(bobs).toMatchObject({ recv_seq: 1, read_seq: 0, read_at: 0, left_seq: 0 });
    expect(bobs?.["recv_at"]).toBeGreaterThan(Date.now() - 60_000);
    expect((await receipts({})).body["total"]).toBeUndefined();
    expect(await receipts({ seq: 0 })).toEqual(refused("bad_request"));
  });

  test("is refused to others", async () => {
    const [alice, bob] = await pair();
    const [mallory] = await pair();
    const { conversation_id: id } = (await post(alice, draft({ user: bob.userId }, 0))).body;
    const answer = await api(server, "GET /api/conversations/:id/receipts", { token: mallory.token, params: { id } });
    expect(answer).toEqual(refused("no_such_conversation"));
  });
});

describe("settings of a conversation", () => {
  const read = (user: TestUser, id: string) =>
    api(server, "GET /api/conversations/:id/settings", { token: user.token, params: { id } });
  const write = (user: TestUser, id: string, body: object) =>
    api(server, "PUT /api/conversations/:id/settings", { token: user.token, params: { id }, body });
  const fresh = { muted_until: 0, pinned: false, archived: false };
  const kept = { muted_until: 1_900_000_000_000, pinned: true, archived: false };

  test("are the reader's own, and told to the reader's other devices", async () => {
    const [alice] = await pair();
    const [bob, second] = (await server.createUsers(1, 2)) as [TestUser, TestUser];
    const { conversation_id } = (await post(alice, draft({ user: bob.userId }, 0))).body;
    await using other = await RawClient.greet(server.wsUrl, second);
    expect((await read(bob, conversation_id)).body).toEqual(fresh);
    expect((await write(bob, conversation_id, kept)).body).toEqual(kept);
    expect((await read(bob, conversation_id)).body).toEqual(kept);
    expect((await read(alice, conversation_id)).body).toEqual(fresh);
    const told = await other.expect((frame) => frame.type === "CONVERSATION_UPDATE");
    expect(told).toEqual({ type: "CONVERSATION_UPDATE", conversation_id, kind: "direct", change: "settings" });
  });

  test("are written whole, and for conversations that are there", async () => {
    const [alice, bob] = await pair();
    const { conversation_id } = (await post(alice, draft({ user: bob.userId }, 0))).body;
    expect(await write(alice, newMessageId(), kept)).toEqual(refused("no_such_conversation"));
    expect(await write(alice, conversation_id, { pinned: true })).toEqual(refused("bad_request"));
    expect(await write(alice, conversation_id, { ...kept, muted_until: -1 })).toEqual(refused("bad_request"));
  });
});
