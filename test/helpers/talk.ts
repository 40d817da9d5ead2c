import { createClient, type Client } from "../../src/client/runtime/client.ts";
import { openWebSocket, type SocketFactory } from "../../src/client/runtime/socket.ts";
import { textOf } from "../../src/client/envelope.ts";
import { MemoryStorage } from "../../src/client/storage/memory.ts";
import { directConversationId } from "../../src/protocol/ids.ts";
import { isVoid } from "../../src/protocol/fields.ts";
import { eventually } from "./eventually.ts";
import type { TestUser } from "./server-process.ts";

const inFlight = 3;

/** One writes to another without a pause, over whatever happens to the servers, and both keep what they were told. */
export interface Talk extends AsyncDisposable {
  readonly sender: Client;
  readonly receiver: Client;
  /** message_id → seq, of what the sender was told is sent. */
  readonly acked: ReadonlyMap<string, number>;
  /** Close codes of connections that the other end ended. */
  readonly closes: readonly number[];
  /** How often either of them connected, or tried to. */
  opens(): number;
  /** Resolves when so many more messages were acknowledged and have arrived; rejects when that takes too long. */
  progress(count: number): Promise<void>;
  /** No new messages; resolves when nothing is owed any more. */
  settle(): Promise<void>;
  /** What is wrong with it now that it is settled: empty = nothing lost, doubled or out of order. */
  faults(): string[];
}

/** `urls`: of the servers; a client that was cut off goes on to the next one. */
export async function startTalk(urls: readonly string[], from: TestUser, to: TestUser, first = 0): Promise<Talk> {
  const closes: number[] = [];
  const opened = { count: 0 };
  const [sender, receiver] = [from, to].map((user, at) => connect(urls, user, first + at, { closes, opened })) as [
    Client,
    Client,
  ];
  const acked = new Map<string, number>();
  /** message_id → how often, in the order of arrival. */
  const arrived = new Map<string, number>();
  const rejected: string[] = [];
  let written = 0;
  let isSettling = false;
  const write = (): void => {
    if (!isSettling) sender.send({ to: { user: to.userId }, body: { text: String(written++) } });
  };
  sender.onEvent((event) => {
    if (event.type === "sent") {
      acked.set(event.messageId, event.seq);
      write();
    } else if (event.type === "send_failed") rejected.push(`${event.messageId}: ${event.code}`);
  });
  receiver.onEvent((event) => {
    if (event.type !== "rows") return;
    for (const row of event.rows) {
      if (isVoid(row)) continue;
      arrived.set(row.message_id, (arrived.get(row.message_id) ?? 0) + 1);
    }
  });
  for (const client of [sender, receiver]) client.connect();
  await Promise.all([sender.synced(45_000), receiver.synced(45_000)]);
  for (let at = 0; at < inFlight; at++) write();
  const chat = directConversationId(from.userId, to.userId);
  return {
    sender,
    receiver,
    acked,
    closes,
    opens: () => opened.count,
    async progress(count) {
      const [ackedMin, arrivedMin] = [acked.size + count, arrived.size + count];
      await patiently(() => acked.size >= ackedMin && arrived.size >= arrivedMin, `${acked.size} acked`);
    },
    async settle() {
      isSettling = true;
      await patiently(() => sender.outbox().length === 0, "the outbox does not empty");
      await patiently(() => [...acked.keys()].every((id) => arrived.has(id)), "not everything arrives");
    },
    faults() {
      const faults = [...rejected];
      for (const id of acked.keys()) if (!arrived.has(id)) faults.push(`${id} was lost`);
      for (const [id, times] of arrived) if (times > 1) faults.push(`${id} was shown ${times} times`);
      const rows = receiver.messages(chat, written + 1);
      if (rows.some((row, at) => row.seq !== at + 1)) faults.push("a seq is missing");
      if (rows.some((row) => !isVoid(row) && acked.get(row.message_id) !== row.seq))
        faults.push("another seq than acked");
      if (rows.map(textOf).some((text, at) => text !== String(at))) faults.push("another order than written");
      return faults;
    },
    async [Symbol.asyncDispose]() {
      isSettling = true;
      await Promise.all([sender.close(), receiver.close()]);
    },
  };
}

interface Sightings {
  readonly closes: number[];
  readonly opened: { count: number };
}

function connect(urls: readonly string[], user: TestUser, first: number, { closes, opened }: Sightings): Client {
  let attempt = first;
  const openSocket: SocketFactory = (_url, token, handlers) => {
    opened.count++;
    return openWebSocket(urls[attempt++ % urls.length] as string, token, {
      ...handlers,
      onClosed(code, status) {
        closes.push(code);
        handlers.onClosed(code, status);
      },
    });
  };
  const session = {
    userId: user.userId,
    device: user.device,
    accessToken: user.token,
    refreshToken: undefined,
    accessExpiresAt: Date.now() + 3_600_000,
  };
  return createClient({
    url: urls[0] as string,
    session,
    storage: new MemoryStorage(),
    openSocket,
    config: { backoffMinMs: 50, backoffMaxMs: 500 },
  });
}

/** A fault may cost what a lease, a time-out and a few retries take, on a busy machine. */
async function patiently(check: () => boolean, otherwise: string): Promise<void> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    try {
      return await eventually(() => {
        if (!check()) throw new Error(otherwise);
      });
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
  }
}
