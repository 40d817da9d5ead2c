import { once } from "node:events";
import { WebSocket } from "ws";

/**
 * A client of somebody else's, written from docs/protocol.md alone: plain WebSocket and fetch, nothing of this
 * repository. If it needs to know more than that page says, the page is what is wrong.
 */
export type Json = Record<string, unknown>;

export interface Row extends Json {
  readonly seq: number;
  readonly kind: number;
}

/** What this client keeps of one conversation: rows by seq, and the runs that it was told to leave empty. */
export interface Kept {
  readonly rows: Map<number, Row>;
  readonly empty: Map<number, "unreadable" | "gone">;
  registers: Json;
}

export async function call(url: string, token: string | undefined, method: string, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === "" ? {} : JSON.parse(text)) as Json };
}

/** A UUIDv7 (RFC 9562): 48 bits of time, version, 12 random bits, variant, 62 random bits. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | 0x7000n | BigInt(bytes[0] as number));
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const sealed = (body: Json): string => btoa(JSON.stringify({ v: 1, suite: 0, body }));
export const opened = (envelope: string): Json => (JSON.parse(atob(envelope)) as { body: Json }).body;

export class Stranger implements AsyncDisposable {
  readonly url: string;
  readonly login: Json;
  readonly conversations = new Map<string, Kept>();
  #ws: WebSocket | undefined;
  #frames: Json[] = [];
  readonly #waiting = new Set<() => void>();
  #requests = 0;

  constructor(url: string, login: Json) {
    this.url = url;
    this.login = login;
  }

  get userId(): string {
    return this.login["user_id"] as string;
  }

  http(method: string, path: string, body?: unknown) {
    return call(this.url, this.login["access_token"] as string, method, path, body);
  }

  /** Upgrades, says HELLO, waits for WELCOME. */
  async connect(): Promise<Json> {
    const authorization = `Bearer ${String(this.login["access_token"])}`;
    const ws = new WebSocket(`${this.url.replace("http", "ws")}/ws`, "msgr.v1", { headers: { authorization } });
    this.#ws = ws;
    this.#frames = [];
    ws.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Json;
      if (frame["type"] === "NEW_MESSAGE") this.#keep(frame["conversation_id"] as string, frame);
      const registers = frame["registers"] as Json | undefined;
      if (registers !== undefined) this.kept(frame["conversation_id"] as string).registers = registers;
      this.#frames.push(frame);
      for (const wake of this.#waiting) wake();
    });
    ws.on("error", () => {});
    await once(ws, "open");
    this.send({ type: "HELLO", device: this.login["device"], client: { name: "stranger", version: "0" } });
    return this.next("WELCOME");
  }

  send(frame: Json): void {
    this.#ws?.send(JSON.stringify(frame));
  }

  /** The next frame of the type that matches; those before it stay for others. */
  next(type: string, matches: (frame: Json) => boolean = () => true): Promise<Json> {
    return this.#next(type, (frame) => frame["type"] === type && matches(frame));
  }

  async #next(what: string, matches: (frame: Json) => boolean): Promise<Json> {
    const until = Date.now() + 45_000;
    for (;;) {
      const at = this.#frames.findIndex(matches);
      if (at >= 0) return this.#frames.splice(at, 1)[0] as Json;
      const left = until - Date.now();
      if (left <= 0) throw new Error(`no ${what}; waiting are ${JSON.stringify(this.#frames).slice(0, 400)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  /** Sends with a request of its own; the answer, be it an ERROR. */
  ask(frame: Json, answer: string): Promise<Json> {
    const request = `q${++this.#requests}`;
    this.send({ ...frame, request });
    const types = [answer, "ERROR"];
    return this.#next(answer, ({ type, request: its }) => its === request && types.includes(type as string));
  }

  say(to: Json, text: string, since: number, message_id = newId()): Promise<Json> {
    return this.ask({ type: "SEND_MESSAGE", to, message_id, since, kind: 1, envelope: sealed({ text }) }, "ACK");
  }

  kept(conversationId: string): Kept {
    const known = this.conversations.get(conversationId);
    if (known !== undefined) return known;
    const fresh: Kept = { rows: new Map(), empty: new Map(), registers: {} };
    this.conversations.set(conversationId, fresh);
    return fresh;
  }

  /** The seq up to which nothing is missing. */
  filledTo(conversationId: string): number {
    const { rows, empty } = this.kept(conversationId);
    let seq = 0;
    while (rows.has(seq + 1) || empty.has(seq + 1)) seq++;
    return seq;
  }

  /** One whole synchronisation from what is kept; the pages that came. */
  async sync(): Promise<Json[]> {
    const cursors = [...this.conversations].map(([conversation_id, { registers }]) => ({
      conversation_id,
      seq: this.filledTo(conversation_id),
      read: (registers["read_seq"] ?? 0) as number,
      peer_recv: (registers["peer_recv_seq"] ?? 0) as number,
      peer_read: (registers["peer_read_seq"] ?? 0) as number,
    }));
    let done = await this.ask({ type: "SYNC", cursors }, "SYNC_DONE");
    while (done["next"] !== undefined)
      done = await this.ask({ type: "SYNC", cursors: [], page: done["next"] }, "SYNC_DONE");
    if (done["type"] === "ERROR") throw new Error(JSON.stringify(done));
    const pages = this.#frames.filter((frame) => frame["type"] === "SYNC_MESSAGES");
    this.#frames = this.#frames.filter((frame) => frame["type"] !== "SYNC_MESSAGES");
    for (const page of pages) this.keepPage(page);
    return pages;
  }

  /** Every seq of [from, to] is a row, or in one of the runs, or the page breaks its promise. */
  keepPage(page: Json): void {
    const conversationId = page["conversation_id"] as string;
    for (const row of page["messages"] as Row[]) this.#keep(conversationId, row);
    const { rows, empty } = this.kept(conversationId);
    for (const name of ["unreadable", "gone"] as const)
      for (const [from, to] of page[name] as [number, number][])
        for (let seq = from; seq <= to; seq++) empty.set(seq, name);
    for (let seq = page["from"] as number; seq <= (page["to"] as number); seq++)
      if (!rows.has(seq) && !empty.has(seq)) throw new Error(`${seq} is neither there nor accounted for`);
  }

  texts(conversationId: string): string[] {
    const rows = [...this.kept(conversationId).rows.values()].toSorted((one, other) => one.seq - other.seq);
    return rows.filter((row) => row.kind === 1).map((row) => opened(row["envelope"] as string)["text"] as string);
  }

  async disconnect(): Promise<void> {
    const ws = this.#ws;
    if (ws === undefined || ws.readyState === WebSocket.CLOSED) return;
    ws.close();
    await once(ws, "close");
  }

  /** The code with which the server closes. */
  async closed(): Promise<number> {
    const [code] = (await once(this.#ws as WebSocket, "close", { signal: AbortSignal.timeout(45_000) })) as [number];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  #keep(conversationId: string, row: Json): void {
    this.kept(conversationId).rows.set(row["seq"] as number, row as Row);
  }
}
