import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
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

const isMessage = (frame: Frame): boolean => frame.type === "NEW_MESSAGE";
const emptySync = { type: "SYNC", cursors: [] };

async function pair(): Promise<readonly [TestUser, TestUser]> {
  return (await server.createUsers(2)) as unknown as readonly [TestUser, TestUser];
}

describe("direct messages", () => {
  test("are acked, pushed, receipted and shown as read to the sender", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const ack = await a.ask(messageTo(bob.userId, "hello", 0));
    expect(ack).toMatchObject({ type: "ACK", seq: 1, status: "sent", ucount: 1 });
    const conversation_id = ack.conversation_id;
    const pushed = await b.expect(isMessage);
    expect(pushed).toMatchObject({ conversation_id, seq: 1, sender: { user: alice.userId, device: 1 }, kind: 1 });
    const delivered = await b.ask({ type: "DELIVERED", conversation_id, from: 1, seq: 1 });
    expect(delivered).toMatchObject({ type: "RECEIPT_ACK", accepted: true, registers: { recv_seq: 1 } });
    const isStatus = (frame: Frame): boolean => frame.type === "STATUS_UPDATE";
    expect(await a.expect(isStatus)).toMatchObject({ user_id: bob.userId, recv_seq: 1, read_seq: 0 });
    await b.ask({ type: "READ_RECEIPT", conversation_id, from: 1, seq: 1 });
    expect(await a.expect((frame) => isStatus(frame) && frame["read_seq"] === 1)).toMatchObject({
      user_id: bob.userId,
    });
  });

  test("the same message_id is one message, however often it is sent", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const id = newMessageId();
    const acks = await Promise.all([1, 2, 3].map(() => a.ask(messageTo(bob.userId, "once", 0, id))));
    expect(acks.map((ack) => ack["seq"])).toEqual([1, 1, 1]);
  });

  test("pipelined messages keep their order", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const count = 500;
    const ids = Array.from({ length: count }, newMessageId);
    const acks = await Promise.all(ids.map((id, at) => a.ask(messageTo(bob.userId, `m${at}`, 0, id))));
    expect(acks.map((ack) => ack["seq"])).toEqual(ids.map((_, at) => at + 1));
    for (let seq = 1; seq <= count; seq++) {
      const pushed = await b.expect((frame) => isMessage(frame) && frame["seq"] === seq);
      expect(pushed["message_id"]).toBe(ids[seq - 1]);
    }
  });

  test("an unknown recipient, a foreign conversation and a cursor ahead are named", async () => {
    const [alice, bob] = await pair();
    const [mallory] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using m = await RawClient.greet(server.wsUrl, mallory);
    expect(await a.ask(messageTo(newMessageId(), "x", 0))).toMatchObject({ code: "no_such_user", temporary: false });
    const { conversation_id } = await a.ask(messageTo(bob.userId, "private", 0));
    expect(await a.ask(messageTo(bob.userId, "x", 99))).toMatchObject({ code: "cursor_ahead" });
    const foreign = [
      { type: "RANGE", conversation_id, from: 1, to: 1 },
      { type: "HISTORY", conversation_id },
      { type: "RECEIPTS", conversation_id },
      { type: "DELIVERED", conversation_id, from: 1, seq: 1 },
      { ...messageTo(bob.userId, "x", 0), to: { conversation: conversation_id } },
    ];
    for (const frame of foreign) {
      const answer = await m.ask(frame);
      expect(answer.type).toBe("ERROR");
      expect(["no_such_conversation", "not_a_member"]).toContain(answer["code"]);
      expect(JSON.stringify(answer)).not.toContain("envelope");
    }
    m.send({ type: "TYPING", conversation_id });
    expect(await m.expect((frame) => frame.type === "ERROR")).toMatchObject({ code: "no_such_conversation" });
  });
});

describe("synchronising", () => {
  test("a device that was away gets everything, in pages, and SYNC_DONE", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const sent = Array.from({ length: 150 }, (_, at) => a.ask(messageTo(bob.userId, `m${at}`, 0)));
    const { conversation_id } = (await Promise.all(sent))[0] as Frame;
    await using b = await RawClient.greet(server.wsUrl, bob);
    const known = { conversation_id, seq: 0, read: 0, peer_recv: 0, peer_read: 0 };
    const request = "sync";
    b.send({ type: "SYNC", request, cursors: [], more: true });
    b.send({ type: "SYNC", request, cursors: [known] });
    await b.expect((frame) => frame.type === "SYNC_DONE" && frame["request"] === request);
    const pages = b.frames.filter((frame) => frame.type === "SYNC_MESSAGES");
    const seqs = pages.flatMap((page) => page["messages"].map(({ seq }) => seq));
    expect(seqs).toEqual(Array.from({ length: 150 }, (_, at) => at + 1));
    expect(pages.every((page) => page["messages"].length <= 100)).toBe(true);
    expect(pages[0]).toMatchObject({ kind: "direct", peer_id: alice.userId });
  });

  test("RANGE, HISTORY and RECEIPTS answer what was asked", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const sent = Array.from({ length: 20 }, (_, at) => a.ask(messageTo(bob.userId, `m${at}`, 0)));
    const { conversation_id } = (await Promise.all(sent))[0] as Frame;
    const seqsOf = (page: Frame) => page["messages"].map(({ seq }) => seq);
    expect(seqsOf(await a.ask({ type: "RANGE", conversation_id, from: 5, to: 7 }))).toEqual([5, 6, 7]);
    expect(seqsOf(await a.ask({ type: "HISTORY", conversation_id, before_seq: 4, limit: 2 }))).toEqual([2, 3]);
    expect(seqsOf(await a.ask({ type: "HISTORY", conversation_id, limit: 3 }))).toEqual([18, 19, 20]);
    expect(await a.ask({ type: "RANGE", conversation_id, from: 7, to: 5 })).toMatchObject({ code: "bad_request" });
    const receipts = await a.ask({ type: "RECEIPTS", conversation_id, seq: 3 });
    expect(receipts).toMatchObject({ type: "RECEIPTS_PAGE", total: 1, delivered: 0, read: 0 });
  });

  test("a page token that was not told is refused, and a second SYNC at once too", async () => {
    const [alice] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    expect(await a.ask({ ...emptySync, page: "made up" })).toMatchObject({ code: "bad_request" });
    expect(await a.ask(emptySync)).toMatchObject({ type: "SYNC_DONE" });
  });

  test("cursors are bounded over all frames of one request", async () => {
    const [alice] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const cursor = () => ({ conversation_id: newMessageId(), seq: 0, read: 0, peer_recv: 0, peer_read: 0 });
    for (let frames = 0; frames <= 20; frames++) {
      a.send({ type: "SYNC", request: "many", cursors: Array.from({ length: 500 }, cursor), more: true });
    }
    expect(await a.expect((frame) => frame.type === "ERROR")).toMatchObject({ code: "too_large", request: "many" });
  });
});

describe("presence and typing", () => {
  test("a watcher is told the state at once, and its changes", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    a.send({ type: "WATCH", user_ids: [bob.userId] });
    const isPresence = (frame: Frame): boolean => frame.type === "PRESENCE";
    expect(await a.expect(isPresence)).toMatchObject({ user_id: bob.userId, online: false });
    const b = await RawClient.greet(server.wsUrl, bob);
    expect(await a.expect(isPresence)).toMatchObject({ user_id: bob.userId, online: true });
    await b[Symbol.asyncDispose]();
    const left = await a.expect(isPresence);
    expect(left).toMatchObject({ user_id: bob.userId, online: false });
    expect(Math.abs(left["last_seen"] - Date.now())).toBeLessThan(30_000);
    a.send({ type: "UNWATCH", user_ids: [bob.userId] });
    await using again = await RawClient.greet(server.wsUrl, bob);
    again.send({ type: "HEARTBEAT" });
    await expect(a.expect(isPresence, 700)).rejects.toThrow("no such frame");
  });

  test("who blocked or hides is shown as nobody would be", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    b.send({ type: "HEARTBEAT" });
    const headers = { authorization: `Bearer ${bob.token}`, "content-type": "application/json" };
    const hide = { method: "PATCH", headers, body: JSON.stringify({ last_seen: "nobody" }) };
    expect((await fetch(`${server.url}/api/me/settings`, hide)).status).toBe(200);
    a.send({ type: "WATCH", user_ids: [bob.userId, newMessageId()] });
    const told = [
      await a.expect((frame) => frame.type === "PRESENCE"),
      await a.expect((frame) => frame.type === "PRESENCE"),
    ];
    for (const { user_id: _id, ...rest } of told) expect(rest).toEqual({ type: "PRESENCE", online: false });
  });

  test("too many watched users are refused", async () => {
    const [alice] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    a.send({ type: "WATCH", user_ids: Array.from({ length: 256 }, newMessageId) });
    a.send({ type: "WATCH", user_ids: [newMessageId()] });
    expect(await a.expect((frame) => frame.type === "ERROR")).toMatchObject({ code: "too_many" });
  });

  test("typing reaches the other side, not the own one", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const { conversation_id } = await a.ask(messageTo(bob.userId, "hello", 0));
    a.send({ type: "TYPING", conversation_id });
    const typing = await b.expect((frame) => frame.type === "TYPING");
    expect(typing).toEqual({ type: "TYPING", conversation_id, user_id: alice.userId });
    expect(a.frames.some((frame) => frame.type === "TYPING")).toBe(false);
  });
});
