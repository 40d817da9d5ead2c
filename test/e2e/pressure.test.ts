import { once } from "node:events";
import net from "node:net";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../helpers/eventually.ts";
import { metricOf } from "../helpers/metrics.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
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

const mebibyte = 1024 * 1024;
/** Of text, so that its envelope stays below 64 KiB. */
const largeText = "x".repeat(45_000);

/** What the server holds in buffers, in bytes: the least of a few readings, since V8 frees them some time after a collection. */
async function bufferBytes(): Promise<number> {
  let least = Infinity;
  for (let reading = 0; reading < 4; reading++) {
    const memory = (await (await server.admin("GET", "/admin/memory")).json()) as { external_bytes: number };
    least = Math.min(least, memory.external_bytes);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return least;
}

async function pair(): Promise<readonly [TestUser, TestUser]> {
  return (await server.createUsers(2)) as unknown as readonly [TestUser, TestUser];
}

describe("a client that does not read", () => {
  test("is closed with 4001 when its queue is full, costs bounded memory, and loses nothing", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await using b = await RawClient.greet(server.wsUrl, bob);
    const before = await bufferBytes();
    b.ws.pause();
    // 36 MB: more than the kernel's buffers and the queue hold together.
    const sends = Array.from({ length: 600 }, () => a.ask(messageTo(bob.userId, largeText, 0)));
    const acks = Promise.all(sends);
    await eventually(async () => expect(await metricOf(server, 'msgr_closes_total{reason="slow"}')).toBe(1));
    const waiting = () => metricOf(server, 'msgr_queue_bytes{queue="clients"}');
    expect(await waiting()).toBeGreaterThan(mebibyte);
    // It has 5 s from then on to read what it is told.
    b.ws.resume();
    expect((await b.closed()).code).toBe(4001);
    await eventually(async () => expect(await waiting()).toBe(0));
    const last = (await acks).at(-1);
    expect(last).toMatchObject({ type: "ACK", seq: 600 });
    expect((await bufferBytes()) - before).toBeLessThan(12 * mebibyte);
    await using again = await RawClient.greet(server.wsUrl, bob);
    const range = await again.ask({ type: "RANGE", conversation_id: last?.["conversation_id"], from: 600, to: 600 });
    expect(range.messages[0]?.seq).toBe(600);
  });

  test("meets a sync that waits for it, without a queue", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const sends = Array.from({ length: 190 }, () => a.ask(messageTo(bob.userId, largeText, 0)));
    const { conversation_id } = (await Promise.all(sends))[0] as Frame;
    await using b = await RawClient.greet(server.wsUrl, bob);
    const before = await bufferBytes();
    const cursors = [{ conversation_id, seq: 0, read: 0, peer_recv: 0, peer_read: 0 }];
    b.send({ type: "SYNC", request: "s", cursors });
    b.ws.pause();
    expect((await bufferBytes()) - before).toBeLessThan(4 * mebibyte);
    b.ws.resume();
    await b.expect((frame) => frame.type === "SYNC_DONE");
    const pages = b.frames.filter((frame) => frame.type === "SYNC_MESSAGES");
    expect(pages.reduce((sum, page) => sum + page["messages"].length, 0)).toBe(190);
    expect(Math.max(...pages.map((page) => JSON.stringify(page).length))).toBeLessThan(600_000);
  });
});

describe("a client that sends too much", () => {
  test("without waiting for answers is read no faster than its messages are stored, and all are acked in order", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const count = 4_000;
    const acks = await Promise.all(Array.from({ length: count }, (_, at) => a.ask(messageTo(bob.userId, `m${at}`, 0))));
    expect(acks.map((ack) => ack["seq"])).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  });

  test("over its limit gets rate_limited with a time, and later messages wait for the refused one", async () => {
    const [alice, bob] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    await server.admin("PUT", "/admin/limits", { preset: "default" });
    try {
      // More than the burst, and than come into the bucket while a busy machine takes them.
      const drafts = Array.from({ length: 400 }, (_, at) => messageTo(bob.userId, `m${at}`, 0));
      const answers = await Promise.all(drafts.map((draft) => a.ask(draft)));
      const refused = answers.findIndex((answer) => answer.type === "ERROR");
      expect(refused).toBeGreaterThanOrEqual(60);
      expect(answers[refused]).toMatchObject({ code: "rate_limited", temporary: true });
      expect(answers[refused]?.["retry_after_ms"]).toBeGreaterThan(0);
      // By now there is room for one again; it belongs to the message that was refused first.
      await new Promise((resolve) => setTimeout(resolve, 250));
      const later = await a.ask(messageTo(bob.userId, "later", 0));
      expect(later).toMatchObject({ code: "out_of_order", temporary: true });
      const back = await a.ask(drafts[refused] as Record<string, unknown>);
      expect(back).toMatchObject({ type: "ACK", seq: refused + 1 });
    } finally {
      await server.admin("PUT", "/admin/limits", { preset: "off" });
    }
  });

  test("rubbish without end is closed with 4007", async () => {
    const [alice] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    for (let count = 0; count < 3_000; count++) a.send({ type: "NONSENSE" });
    expect((await a.closed()).code).toBe(4007);
  });

  test("pings without reading the pongs is closed or ignored, never buffered without bound", async () => {
    const [alice] = await pair();
    await using a = await RawClient.greet(server.wsUrl, alice);
    const before = await bufferBytes();
    a.ws.pause();
    const payload = Buffer.alloc(125);
    for (let count = 0; count < 100_000; count++) a.ws.ping(payload);
    expect((await bufferBytes()) - before).toBeLessThan(12 * mebibyte);
  });
});

describe("sockets that say nothing useful", () => {
  test("a peer that resets in the middle of the upgrade does not disturb the server", async () => {
    const { hostname, port } = new URL(server.url);
    for (let count = 0; count < 20; count++) {
      const socket = net.connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.resetAndDestroy();
    }
    const [alice] = await pair();
    await using client = await RawClient.greet(server.wsUrl, alice);
    expect(client.ws.readyState).toBe(WebSocket.OPEN);
    expect(server.process.exitCode).toBeNull();
  });
});
