import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import net from "node:net";
import { WebSocket } from "ws";
import type { TestUser } from "./server-process.ts";

/** A frame as anyone would read it: this client knows nothing of the server's types. */
export interface Frame {
  readonly [field: string]: unknown;
  readonly type: string;
  // Fields that tests look into, as if every frame had them: where one is missing the test fails.
  readonly conversation_id: string;
  readonly message_id: string;
  readonly seq: number;
  readonly to: number;
  readonly messages: readonly { readonly seq: number; readonly message_id: string }[];
  readonly registers: { readonly last_seq: number };
  readonly limits: { readonly frame_bytes_max: number };
  readonly server_time: number;
  readonly last_seen: number;
  readonly after_ms: number;
  readonly retry_after_ms: number;
}

/** What a busy machine may take to answer. Not a promise of the server: where one is tested, its bound is said. */
const patienceMs = 45_000;

/** A plain WebSocket that keeps every frame and lets a test wait for the ones it expects. */
export class RawClient implements AsyncDisposable {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  #closed: { code: number; reason: string } | undefined;
  #waiting: { matches: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] = [];
  #requests = 0;
  readonly #socket: net.Socket | undefined;

  constructor(ws: WebSocket, socket?: net.Socket) {
    this.ws = ws;
    this.#socket = socket;
    ws.on("message", (data: Buffer) => this.#onFrame(JSON.parse(data.toString()) as Frame));
    ws.on("close", (code, reason) => (this.#closed = { code, reason: reason.toString() }));
    ws.on("error", () => {});
  }

  static async open(wsUrl: string, token: string): Promise<RawClient> {
    const { hostname, port } = new URL(wsUrl);
    const socket = net.connect(Number(port), hostname);
    const headers = { authorization: `Bearer ${token}` };
    const ws = new WebSocket(wsUrl, "msgr.v1", { headers, createConnection: () => socket });
    const client = new RawClient(ws, socket);
    await once(ws, "open");
    return client;
  }

  /** Opens, says HELLO and waits for WELCOME. */
  static async greet(wsUrl: string, user: TestUser): Promise<RawClient> {
    const client = await RawClient.open(wsUrl, user.token);
    client.send({ type: "HELLO", device: user.device, client: { name: "test", version: "1" } });
    await client.expect((frame) => frame.type === "WELCOME");
    return client;
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Bytes of no frame that ws would send. */
  writeRaw(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }

  /** Sends with a request of its own and resolves with what answers it. */
  ask(frame: Record<string, unknown>): Promise<Frame> {
    const request = `r${++this.#requests}`;
    this.send({ ...frame, request });
    return this.expect((answer) => answer["request"] === request);
  }

  /** The next frame (or one that came already and nobody took) that matches; taken out of `frames`. */
  expect(matches: (frame: Frame) => boolean, timeoutMs = patienceMs): Promise<Frame> {
    const at = this.frames.findIndex(matches);
    if (at >= 0) return Promise.resolve(this.frames.splice(at, 1)[0] as Frame);
    return new Promise((resolve, reject) => {
      const waiter = {
        matches,
        resolve: (frame: Frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
      };
      const timer = setTimeout(() => {
        // Who gave up must not take the frame that another waits for.
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(new Error(`no such frame; there are ${JSON.stringify(this.frames).slice(0, 500)}`));
      }, timeoutMs);
      this.#waiting.push(waiter);
    });
  }

  async closed(timeoutMs = patienceMs): Promise<{ readonly code: number; readonly reason: string }> {
    if (this.#closed === undefined) await once(this.ws, "close", { signal: AbortSignal.timeout(timeoutMs) });
    return this.#closed ?? { code: 1006, reason: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return;
    this.ws.terminate();
    if (this.#closed === undefined) await once(this.ws, "close");
  }

  #onFrame(frame: Frame): void {
    const at = this.#waiting.findIndex(({ matches }) => matches(frame));
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(frame);
    else this.frames.push(frame);
  }
}

/** Status and body of a refused upgrade. */
export async function refusal(
  wsUrl: string,
  protocols: string[],
  headers: Record<string, string>,
): Promise<{
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly problem: Record<string, unknown>;
}> {
  const ws = new WebSocket(wsUrl, protocols, { headers });
  ws.on("error", () => {});
  const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const problem = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  return { status: response.statusCode as number, headers: response.headers, problem };
}

let made = 0;

/** A UUIDv7 of this moment. */
export function newMessageId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const count = (made++ & 0xfff).toString(16).padStart(3, "0");
  const random = Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-8000-${random}`;
}

export function envelopeOf(text: string): string {
  return Buffer.from(JSON.stringify({ v: 1, suite: 0, body: { text } })).toString("base64");
}

export function messageTo(
  userId: string,
  text: string,
  since: number,
  messageId = newMessageId(),
): Record<string, unknown> {
  const to = { user: userId };
  return { type: "SEND_MESSAGE", to, message_id: messageId, since, kind: 1, envelope: envelopeOf(text) };
}
