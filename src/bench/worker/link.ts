import type { Writable } from "node:stream";
import { WebSocket } from "ws";
import { closeCodes } from "../../protocol/close-codes.ts";
import { limits } from "../../protocol/limits.ts";

/**
 * One WebSocket of one device. Who owns it is told by `slot`, so that ten thousand links share one set of handlers. Frames
 * of one turn of the event loop leave in one write: system calls are the largest part of what a generator costs.
 */
export interface LinkHandlers {
  opened(slot: number, link: Link): void;
  received(slot: number, link: Link, text: string): void;
  /** `code` as the machine takes it; comes exactly once, not after `close`. */
  closed(slot: number, link: Link, code: number): void;
}

export interface LinkAddress {
  readonly url: URL;
  readonly token: string;
  readonly localAddress: string | undefined;
}

const handshakeTimeoutMs = 20_000;
const subprotocol = "msgr.v1";
/** A page, with room for its JSON. */
const payloadBytesMax = limits.pageBytesMax + limits.frameBytesMax;

export class Link {
  readonly #ws: WebSocket;
  #socket: Writable | undefined;
  #corked = false;
  #ended = false;

  constructor(slot: number, { url, token, localAddress }: LinkAddress, handlers: LinkHandlers) {
    const ws = new WebSocket(url, subprotocol, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      maxPayload: payloadBytesMax,
      handshakeTimeout: handshakeTimeoutMs,
      followRedirects: false,
      skipUTF8Validation: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#ws = ws;
    const end = (code: number): void => {
      if (this.#ended) return;
      this.#ended = true;
      ws.terminate();
      handlers.closed(slot, this, code);
    };
    ws.on("upgrade", (response) => (this.#socket = response.socket));
    ws.on("open", () => {
      if (!this.#ended) handlers.opened(slot, this);
    });
    ws.on("message", (data: Buffer) => {
      if (!this.#ended) handlers.received(slot, this, data.toString("utf8"));
    });
    ws.on("unexpected-response", (_request, response) => {
      response.resume();
      end(response.statusCode === 401 ? closeCodes.unauthenticated.code : 1006);
    });
    ws.on("close", end);
    // A failed connection may emit `error` alone.
    ws.on("error", () => end(1006));
  }

  send(text: string): void {
    if (!this.#corked && this.#socket !== undefined) {
      this.#corked = true;
      this.#socket.cork();
      flushLater(this);
    }
    this.#ws.send(text, ignore);
  }

  /** Writes what was sent in this turn. */
  flush(): void {
    this.#corked = false;
    this.#socket?.uncork();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#corked) this.flush();
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.close(1000);
    else this.#ws.terminate();
  }

  /** The socket stays open and hears nothing more; nothing is told of it any more either. */
  fallSilent(): void {
    this.#ended = true;
    this.#ws.pause();
  }

  /** Ends it without a closing handshake. */
  terminate(): void {
    this.#ended = true;
    this.#ws.terminate();
  }
}

/** Fewer than a turn may bring: else the server would sit idle until the generator has heard everybody out. */
const linksPerFlushMax = 16;
let waiting: Link[] = [];
let scheduled = false;

function flushLater(link: Link): void {
  waiting.push(link);
  if (waiting.length >= linksPerFlushMax) flushAll();
  else if (!scheduled) {
    scheduled = true;
    setImmediate(flushRest);
  }
}

function flushRest(): void {
  scheduled = false;
  flushAll();
}

function flushAll(): void {
  const links = waiting;
  waiting = [];
  for (const link of links) link.flush();
}

function ignore(): void {}
