import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemRandom } from "../../src/base/random.ts";
import { textOf } from "../../src/client/envelope.ts";
import { createClient, type Client, type ClientOptions } from "../../src/client/runtime/client.ts";
import type { HostEvent } from "../../src/client/runtime/device-host.ts";
import { openJournalStorage } from "../../src/client/storage/journal.ts";
import { MemoryStorage } from "../../src/client/storage/memory.ts";
import { closeCodes } from "../../src/protocol/close-codes.ts";
import { createUuidV7, directConversationId } from "../../src/protocol/ids.ts";
import { ModelListener } from "../helpers/model-listener.ts";
import { registersOf } from "../helpers/scripted-machine.ts";

const random = createSystemRandom();
const ada = createUuidV7(Date.now(), random);
const bob = createUuidV7(Date.now(), random);
const chat = directConversationId(ada, bob);
const waitMs = 5_000;

describe("one user on a real socket", () => {
  let server: ModelListener;
  const open: Client[] = [];

  beforeEach(async () => {
    server = await ModelListener.start();
  });

  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
    await server[Symbol.asyncDispose]();
  });

  function start(userId: string, options: Partial<ClientOptions> = {}): Client {
    const tokens = server.issue(userId, 1);
    const session = { userId, device: 1, ...tokens, accessExpiresAt: Date.now() + 3_600_000 };
    const client = createClient({ url: server.url, session, storage: new MemoryStorage(), ...options });
    open.push(client);
    client.connect();
    return client;
  }

  async function nextEvent(client: Client, applies: (event: HostEvent) => boolean): Promise<HostEvent> {
    for await (const event of client.events()) if (applies(event)) return event;
    throw new Error("the client ended");
  }

  test("a message goes from sent over delivered to read, and arrives as it was written", async () => {
    const sender = start(ada);
    const reader = start(bob);
    await Promise.all([sender.synced(waitMs), reader.synced(waitMs)]);
    const arrival = nextEvent(reader, (event) => event.type === "rows");
    const sent = sender.send({ to: { user: bob }, body: { text: "hello" } });
    expect(await sent.reached("sent", waitMs)).toMatchObject({ seq: 1, conversationId: chat });
    await sent.reached("delivered", waitMs);
    await arrival;
    expect(reader.messages(chat, 10).map(textOf)).toEqual(["hello"]);
    expect(reader.unread(chat)).toEqual({ count: 1, more: false });
    reader.markRead(chat, 1);
    await sent.reached("read", waitMs);
    expect(sender.statusOf(chat, 1, undefined)).toBe("read");
    expect(server.model.violations).toEqual([]);
  });

  test("a wait that is too long ends, the message does not", async () => {
    const sender = start(ada);
    await sender.synced(waitMs);
    const sent = sender.send({ to: { user: bob }, body: { text: "nobody is there" } });
    await expect(sent.reached("delivered", 50)).rejects.toMatchObject({ code: "timeout" });
    expect(await sent.reached("sent", waitMs)).toMatchObject({ seq: 1 });
  });

  test("a token that is refused is exchanged once, kept, and the connection made again", async () => {
    const kept: string[] = [];
    const client = start(ada, { onSession: (session) => void kept.push(session.accessToken) });
    await client.synced(waitMs);
    server.tokens.clear();
    const again = client.synced(waitMs);
    server.closeAll(closeCodes.unauthenticated.code);
    await again;
    expect(kept).toHaveLength(1);
    server.tokens.delete(kept[0] as string);
    const third = client.synced(waitMs);
    server.closeAll(closeCodes.drain.code);
    await third;
    expect(kept).toHaveLength(2);
    expect(server.upgradesRefused).toBe(1);
  });

  test("a session that cannot be refreshed ends with a reason", async () => {
    const client = start(ada);
    await client.synced(waitMs);
    server.tokens.clear();
    server.refreshTokens.clear();
    const ended = nextEvent(client, (event) => event.type === "session_ended");
    server.closeAll(closeCodes.unauthenticated.code);
    expect(await ended).toMatchObject({ error: { code: "token_reused", fix: "Log in again." } });
  });

  test("older rows that the server refuses are refused at once, not after the time-out", async () => {
    const storage = new MemoryStorage();
    const conversationId = createUuidV7(Date.now(), random);
    storage.write({
      conversation: {
        conversationId,
        kind: "group",
        peerId: undefined,
        name: undefined,
        start: 51,
        filled: 60,
        runs: [],
        proven: 50,
        foreign: 60,
        viewed: 60,
        head: 60,
        told: true,
        registers: registersOf({ last_seq: 60, recv_seq: 60, read_seq: 60 }),
      },
    });
    const client = start(ada, { storage });
    await client.synced(waitMs);
    const refused = client.loadHistory(conversationId, 10, 3_600_000);
    await expect(refused).rejects.toMatchObject({ code: "no_such_conversation" });
    const cut = client.loadHistory(conversationId, 10, 3_600_000);
    await client.close();
    await expect(cut).rejects.toMatchObject({ code: "not_ready" });
  });

  test("another connection of the device ends this one for good", async () => {
    const client = start(ada);
    await client.synced(waitMs);
    const stopped = nextEvent(client, (event) => event.type === "connection");
    server.closeAll(closeCodes.replaced.code);
    expect(await stopped).toMatchObject({ state: "stopped", code: closeCodes.replaced.code });
  });

  test("what was sent without a connection leaves after a restart, from the journal", async () => {
    const folder = await mkdtemp(join(tmpdir(), "msgr-client-"));
    try {
      const tokens = server.issue(ada, 1);
      const session = { userId: ada, device: 1, ...tokens, accessExpiresAt: Date.now() + 3_600_000 };
      const offline = createClient({ url: server.url, session, storage: await openJournalStorage({ folder }) });
      for (const text of ["one", "two", "three"]) offline.send({ to: { user: bob }, body: { text } });
      offline.setDraft(chat, "fo");
      await offline.close();
      const online = start(ada, { storage: await openJournalStorage({ folder }) });
      await online.synced(waitMs);
      await online.close(waitMs);
      const after = await openJournalStorage({ folder });
      expect(after.rows(chat, 10).map(textOf)).toEqual(["one", "two", "three"]);
      expect(after.load().outbox).toEqual([]);
      expect(after.draft(chat)).toBe("fo");
      await after.close();
      expect(server.model.logs.get(chat)?.rows.map(textOf)).toEqual(["one", "two", "three"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
