import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { messageTo, newMessageId, RawClient, type Frame } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const kills = 6;
const pairs = 4;
const pipelined = 40;

/** One sender and one receiver, and what the sender was told. */
interface Talk {
  readonly sender: TestUser;
  readonly receiver: TestUser;
  conversationId: string;
  /** message_id → seq of its ACK. */
  readonly acked: Map<string, number>;
  /** Sent and not answered, in order: sent again first after the next start, under the same id and since. */
  unanswered: Record<string, unknown>[];
}

test(
  "kill -9 in mid-run, over and over: everything acked is in the log at its seq, once, without a gap",
  { timeout: 240_000 },
  async () => {
    using folder = temporaryFolder();
    let server = await startServer(`${folder.path}/data`);
    const users = await server.createUsers(pairs * 2);
    const talks = Array.from({ length: pairs }, (_, at): Talk => {
      const [sender, receiver] = users.slice(at * 2, at * 2 + 2) as [TestUser, TestUser];
      return { sender, receiver, conversationId: "", acked: new Map(), unanswered: [] };
    });
    for (let round = 0; round < kills; round++) {
      const clients = await Promise.all(talks.map((talk) => RawClient.greet(server.wsUrl, talk.sender)));
      const running = talks.map((talk, at) => sendUntilClosed(clients[at] as RawClient, talk));
      // Not the same moment of a commit every time.
      await new Promise((resolve) => setTimeout(resolve, 250 + round * 37));
      expect(await server.stop("SIGKILL")).toBeNull();
      await Promise.all(running);
      server = await startServer(`${folder.path}/data`);
    }
    await using last = server;
    const total = talks.reduce((sum, talk) => sum + talk.acked.size, 0);
    expect(total).toBeGreaterThan(kills * pairs);
    for (const talk of talks) await verify(last, talk);
  },
);

async function sendUntilClosed(client: RawClient, talk: Talk): Promise<void> {
  const waiting = new Map<string, Record<string, unknown>>();
  let onSettled = (): void => {};
  client.ws.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Frame;
    if (frame.type !== "ACK") return;
    const id = frame.message_id;
    talk.conversationId = frame.conversation_id;
    talk.acked.set(id, frame.seq);
    waiting.delete(id);
    if (waiting.size < pipelined) onSettled();
  });
  const send = (frame: Record<string, unknown>): void => {
    waiting.set(frame["message_id"] as string, frame);
    client.send({ ...frame, request: frame["message_id"] });
  };
  client.ws.on("close", () => onSettled());
  for (const frame of talk.unanswered) send(frame);
  while (client.ws.readyState === WebSocket.OPEN) {
    while (waiting.size < pipelined) send(messageTo(talk.receiver.userId, "x".repeat(200), headOf(talk)));
    await new Promise<void>((resolve) => {
      onSettled = resolve;
      if (client.ws.readyState !== WebSocket.OPEN) resolve();
    });
  }
  talk.unanswered = [...waiting.values()];
}

function headOf(talk: Talk): number {
  return Math.max(0, ...talk.acked.values());
}

/** The receiver reads the whole log: gapless, each id once, and each acked one at its seq. */
async function verify(server: ServerProcess, talk: Talk): Promise<void> {
  await using reader = await RawClient.greet(server.wsUrl, talk.receiver);
  await using sender = await RawClient.greet(server.wsUrl, talk.sender);
  // What was never answered gets its answer now, and a place of its own or the one it has.
  for (const frame of talk.unanswered) {
    const ack = await sender.ask(frame);
    expect(ack.type).toBe("ACK");
    talk.acked.set(frame["message_id"] as string, ack.seq);
  }
  reader.send({ type: "SYNC", request: newMessageId(), cursors: [] });
  const listed = await reader.expect((frame) => frame.type === "SYNC_MESSAGES");
  const head = headOf(talk);
  expect(listed["registers"].last_seq).toBe(head);
  const seqOf = new Map<string, number>();
  for (let from = 1; from <= head;) {
    const page = await reader.ask({ type: "RANGE", conversation_id: talk.conversationId, from, to: head });
    for (const row of page.messages) {
      expect(row.seq).toBe(seqOf.size + 1);
      seqOf.set(row.message_id, row.seq);
    }
    from = page.to + 1;
  }
  expect(seqOf.size).toBe(head);
  for (const [id, seq] of talk.acked) expect(seqOf.get(id)).toBe(seq);
}
