import type { Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { closeCodes, type CloseReason } from "../../protocol/close-codes.ts";
import { parseClientFrame } from "../../protocol/codec.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller } from "../../core/api.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { ConnectionMemory } from "./connection-memory.ts";
import { errorFrame } from "./error-frame.ts";
import type { FlushRound } from "./flush-round.ts";
import { Outgoing } from "./outgoing.ts";
import { encodeTextFrame } from "./text-frame.ts";

/**
 * One WebSocket of one device.
 *
 *   opening ──HELLO──▶ greeted ──drain()──▶ draining ──▶ closed
 *      └────────────────── close(reason), the client, the network ──────────▲
 *
 * opening: authenticated by the upgrade, HELLO not seen. greeted: in the hub; frames are taken and pushes sent. draining:
 * no frame is taken any more; what is in flight is answered, then the close frame leaves. closed: nothing refers to it.
 *
 * Incoming work is bounded by weight: beyond `draftsPerConnectionMax` the socket is not read until half of it is done, so
 * a client that sends faster than the stores write meets TCP's own backpressure. Outgoing work is bounded by Outgoing.
 *
 * There may be tens of thousands of these, nearly all idle: no timer, no closure and no collection of its own until
 * needed (see ConnectionMemory and ConnectionSweep).
 */
export type ConnectionState = "opening" | "greeted" | "draining" | "closed";

/** What a connection needs of the server around it; one for all connections. */
export interface ConnectionHost {
  readonly round: Pick<FlushRound, "add">;
  /** Milliseconds, monotonic, integer. */
  nowMs(): number;
  /** A well-formed frame arrived. May answer through the connection at once or later. */
  onFrame(connection: Connection, frame: ClientFrame): void;
  /** A frame of this protocol that is wrong or unknown. */
  onWrongFrame(connection: Connection, error: WireError, request: string | undefined): void;
  /** Called once, when the connection leaves `opening` or `greeted`, before the close frame is sent. */
  onLeaving(connection: Connection, wasGreeted: boolean): void;
  /** Called once, when the socket is gone. */
  onClosed(connection: Connection, code: number): void;
  onFrameOut(type: ServerFrame["type"], bytes: number): void;
  onCloseSent(reason: CloseReason): void;
}

export interface ConnectionIdentity {
  readonly id: string;
  /** Grows with every connection that this process opens. */
  readonly ordinal: number;
  readonly caller: Caller;
  readonly familyId: Uuid;
}

export class Connection {
  readonly id: string;
  readonly ordinal: number;
  readonly caller: Caller;
  /** Session family of the token that opened it. */
  readonly familyId: Uuid;
  readonly openedAtMs: number;
  /** When it began to close; 0 before. Monotonic, ms. */
  leftAtMs = 0;
  /** Anything at all arrived. Monotonic, ms. */
  heardAtMs: number;
  /** HELLO or HEARTBEAT arrived. Monotonic, ms. */
  beatAtMs: number;
  /** Whether others may see the device online through this connection. */
  present = false;
  /** What routes keep between frames; made when first needed. */
  memory: ConnectionMemory | undefined;
  readonly #host: ConnectionHost;
  readonly #ws: WebSocket;
  readonly #socket: Writable;
  readonly #outgoing: Outgoing;
  #state: ConnectionState = "opening";
  #closeSent = false;
  #inFlight = 0;
  #paused = false;
  /** Somebody waits for a sign of the peer. */
  #onSign: ((answered: boolean) => void) | undefined;

  constructor(host: ConnectionHost, ws: WebSocket, socket: Writable, identity: ConnectionIdentity) {
    this.#host = host;
    this.#ws = ws;
    this.#socket = socket;
    this.id = identity.id;
    this.ordinal = identity.ordinal;
    this.caller = identity.caller;
    this.familyId = identity.familyId;
    this.openedAtMs = this.heardAtMs = this.beatAtMs = host.nowMs();
    this.#outgoing = new Outgoing(socket, host, () => this.close("slow"));
    ws.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on("ping", () => this.#onPing());
    ws.on("close", (code) => this.#onClosed(code));
    // What was wrong with the peer's bytes; the close that follows tells.
    ws.on("error", ignore);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether the socket is not being read because too much is in flight. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Weight of the frames that are being worked on. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get queueBytes(): number {
    return this.#outgoing.queueBytes;
  }

  /** Since when the page on its way was not taken by the client (monotonic, ms); undefined = there is none. */
  get pageWaitsSinceMs(): number | undefined {
    return this.#outgoing.pageWaitsSinceMs;
  }

  heartbeat(): void {
    this.beatAtMs = this.heardAtMs;
  }

  greet(): void {
    if (this.#state === "opening") this.#state = "greeted";
  }

  /** Sends a frame to this connection alone. Dropped once the connection is closed. */
  send(frame: ServerFrame): void {
    this.push(encodeTextFrame(JSON.stringify(frame)), frame.type);
  }

  /** Sends a frame that was encoded before, perhaps for many connections. */
  push(encoded: Buffer, type: ServerFrame["type"]): void {
    if (this.#closeSent || this.#state === "closed") return;
    this.#host.onFrameOut(type, encoded.length);
    this.#outgoing.push(encoded);
  }

  /**
   * Sends a page after the pages before it; resolves when the client may be sent the next one. Rejects (`draining`) when
   * the connection is over, so that nobody goes on reading for it.
   */
  async sendPage(frame: ServerFrame): Promise<void> {
    await this.#outgoing.page(() => {
      if (this.#closeSent || this.#state === "closed") return undefined;
      const encoded = encodeTextFrame(JSON.stringify(frame));
      this.#host.onFrameOut(frame.type, encoded.length);
      return encoded;
    });
    if (this.#closeSent || this.#state === "closed") throw new WireError("draining");
  }

  sendError(error: WireError, request: string | undefined): void {
    this.send(errorFrame(error, request));
  }

  /** Whether the peer answers a ping (RFC 6455 §5.5.2) that is sent now; false once the connection ends. One at a time. */
  answers(): Promise<boolean> {
    if (this.#closeSent || this.#state === "draining" || this.#state === "closed") return Promise.resolve(false);
    // Pongs that nobody asked for are allowed: only this word is the answer.
    const word = this.#host.nowMs().toString(36);
    return new Promise((resolve) => {
      const onPong = (data: Buffer): void => {
        if (data.toString() === word) this.#onSign?.(true);
      };
      this.#onSign = (answered) => {
        this.#ws.off("pong", onPong);
        this.#onSign = undefined;
        resolve(answered);
      };
      this.#ws.on("pong", onPong);
      this.#ws.ping(word);
    });
  }

  /** Work on a frame began that does not end in this turn; `weight` is given back by `end`. */
  begin(weight: number): void {
    this.#inFlight += weight;
    if (!this.#paused && this.#inFlight >= limits.draftsPerConnectionMax && this.#state !== "closed") {
      this.#paused = true;
      this.#ws.pause();
    }
  }

  end(weight: number): void {
    this.#inFlight -= weight;
    if (this.#paused && this.#inFlight <= limits.draftsPerConnectionMax / 2) {
      this.#paused = false;
      // Silence is counted from here: nobody listened until now.
      this.heardAtMs = this.#host.nowMs();
      if (this.#state !== "closed") this.#ws.resume();
    }
    if (this.#inFlight === 0 && this.#state === "draining") this.#sendClose("drain", undefined);
  }

  /** Takes no more frames, answers what is in flight, then closes with `drain`. */
  drain(): void {
    if (this.#state !== "opening" && this.#state !== "greeted") return;
    this.#leave("draining");
    if (this.#inFlight === 0) this.#sendClose("drain", undefined);
  }

  /** Closes now; what was pushed before still leaves first. Idempotent. */
  close(reason: CloseReason, detail?: string): void {
    if (this.#closeSent || this.#state === "closed") return;
    if (this.#state !== "draining") this.#leave("draining");
    this.#sendClose(reason, detail);
  }

  /** Ends the socket without a farewell. */
  terminate(): void {
    this.#ws.terminate();
  }

  #leave(state: ConnectionState): void {
    const wasGreeted = this.#state === "greeted";
    this.#state = state;
    this.leftAtMs = this.#host.nowMs();
    this.#onSign?.(false);
    this.#host.onLeaving(this, wasGreeted);
  }

  #sendClose(reason: CloseReason, detail: string | undefined): void {
    if (this.#closeSent) return;
    this.#outgoing.flush();
    // The flush may have found the queue over its bound and closed the connection in between.
    if (this.#closeSent) return;
    this.#closeSent = true;
    const entry = closeCodes[reason];
    this.#host.onCloseSent(reason);
    if (this.#paused) this.#ws.resume();
    this.#ws.close(entry.code, closeText(detail === undefined ? entry.reason : `${entry.reason} (${detail})`));
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#state !== "opening" && this.#state !== "greeted") return;
    this.heardAtMs = this.#host.nowMs();
    if (isBinary) return this.close("bad_frame", "binary");
    const bytes = data as Buffer;
    if (bytes.length > limits.frameBytesMax) return this.close("frame_too_large");
    const parsed = parseClientFrame(bytes.toString());
    if (parsed.ok) return this.#host.onFrame(this, parsed.frame);
    if (parsed.fatal) return this.close("bad_frame", parsed.detail);
    this.#host.onWrongFrame(this, new WireError(parsed.code, { detail: parsed.detail }), parsed.request);
  }

  /** Answered by hand, since pongs to a client that never reads would pile up outside of every bound. */
  #onPing(): void {
    if (this.#closeSent || this.#state === "closed") return;
    this.heardAtMs = this.#host.nowMs();
    if (this.#socket.writableLength > limits.sendQueueBytesMax) this.close("slow");
    else this.#ws.pong();
  }

  #onClosed(code: number): void {
    if (this.#state === "closed") return;
    if (this.#state !== "draining") this.#leave("closed");
    this.#state = "closed";
    this.memory = undefined;
    this.#host.onClosed(this, code);
  }
}

function ignore(): void {}

/** A close reason is at most 123 bytes of UTF-8 (RFC 6455 §5.5). */
function closeText(text: string): string {
  return Buffer.byteLength(text) <= 123
    ? text
    : Buffer.from(text)
        .subarray(0, 120)
        .toString()
        .replace(/\uFFFD$/, "");
}
