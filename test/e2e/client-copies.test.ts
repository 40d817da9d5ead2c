import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textOf } from "../../src/client/envelope.ts";
import type { ConversationRecord } from "../../src/client/machine/types.ts";
import { createClient, type Client } from "../../src/client/runtime/client.ts";
import { MemoryStorage } from "../../src/client/storage/memory.ts";
import { directConversationId } from "../../src/protocol/ids.ts";
import { messageTo, newMessageId, RawClient } from "../helpers/raw-client.ts";
import { registersOf, rowOf } from "../helpers/scripted-machine.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
const waitMs = 45_000;
let server: ServerProcess;
const open: Client[] = [];

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  for (const client of open) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function pair(): Promise<readonly [TestUser, TestUser]> {
  return (await server.createUsers(2)) as unknown as readonly [TestUser, TestUser];
}

function clientOf({ userId, device, token }: TestUser, storage = new MemoryStorage()): Client {
  const session = { userId, device, accessToken: token, accessExpiresAt: Date.now() + 3_600_000 };
  const client = createClient({ url: server.url, storage, session: { ...session, refreshToken: undefined } });
  open.push(client);
  client.connect();
  return client;
}

function heldOf(conversationId: string, peerId: string, filled: number): ConversationRecord {
  const registers = registersOf({ last_seq: filled, recv_seq: filled, read_seq: filled, read_ucount: filled });
  const place = { start: 1, filled, runs: [], proven: 0, foreign: filled, viewed: filled, head: filled, told: true };
  return { conversationId, kind: "direct", peerId, name: undefined, ...place, registers };
}

describe("what a client holds", () => {
  test("is dropped when the server's data is older, and replaced by what the server has: it neither loops nor mixes", async () => {
    const [alice, bob] = await pair();
    await using b = await RawClient.greet(server.wsUrl, bob);
    await b.ask(messageTo(alice.userId, "after the restore", 0));
    const chat = directConversationId(alice.userId, bob.userId);
    const storage = new MemoryStorage();
    storage.write({ conversation: heldOf(chat, bob.userId, 7), rows: [1, 2, 3, 4, 5, 6, 7].map((seq) => rowOf(seq)) });
    const client = clientOf(alice, storage);
    await client.synced(waitMs);
    expect(client.messages(chat, 10).map(textOf)).toEqual(["after the restore"]);
    expect(client.conversation(chat)).toMatchObject({ head: 1, filled: 1, registers: { read_seq: 0 } });
    expect(client.unread(chat)).toEqual({ count: 1, more: false });
    await client.send({ to: { user: bob.userId }, body: { text: "hello again" } }).reached("sent", waitMs);
  });

  test("a group is known by its name from the first sync on", async () => {
    const [alice, bob] = await pair();
    const body = { group_id: newMessageId(), message_id: newMessageId(), name: "Hiking", user_ids: [bob.userId] };
    const made = await fetch(`${server.url}/api/groups`, {
      method: "POST",
      headers: { authorization: `Bearer ${alice.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(made.status).toBe(201);
    const client = clientOf(bob);
    await client.synced(waitMs);
    expect(client.conversation(body.group_id)?.name).toBe("Hiking");
  });
});

test("an answer that says what was on screen is a read receipt as well, live and for who syncs later", async () => {
  const [alice, bob] = await pair();
  await using a = await RawClient.greet(server.wsUrl, alice);
  await using b = await RawClient.greet(server.wsUrl, bob);
  const { conversation_id } = await a.ask(messageTo(bob.userId, "seen?", 0));
  await b.ask({ ...messageTo(alice.userId, "yes", 1), read_from: 1, read: 1 });
  const status = await a.expect((frame) => frame.type === "STATUS_UPDATE");
  expect(status).toMatchObject({ conversation_id, user_id: bob.userId, recv_seq: 1, read_seq: 1 });
  const receipts = await a.ask({ type: "RECEIPTS", conversation_id, seq: 1 });
  expect(receipts).toMatchObject({ delivered: 1, read: 1 });
});
