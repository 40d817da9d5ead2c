import { WebSocket } from "ws";
import { limits } from "../../protocol/limits.ts";

/** One connection, as the runtime needs it. After `onClosed` nothing more is called; exactly one `onClosed` comes. */
export interface Socket {
  send(text: string): void;
  /** Ends it at once; `onClosed` is not called for what this side ends. */
  close(): void;
}

export interface SocketHandlers {
  onOpen(): void;
  onText(text: string): void;
  /** `code`: the close code, or 1006. `status`: of an upgrade that was refused over HTTP. */
  onClosed(code: number, status: number | undefined): void;
}

export type SocketFactory = (url: string, accessToken: string, handlers: SocketHandlers) => Socket;

export const subprotocol = "msgr.v1";
const handshakeTimeoutMs = 10_000;
/** A page, with room for its JSON. */
const payloadBytesMax = limits.pageBytesMax + limits.frameBytesMax;

/** A connection over `ws`. The token goes into the request's header, never into the address. */
export const openWebSocket: SocketFactory = (url, accessToken, handlers) => {
  const ws = new WebSocket(new URL("/ws", url.replace(/^http/, "ws")), subprotocol, {
    headers: { authorization: `Bearer ${accessToken}` },
    perMessageDeflate: false,
    maxPayload: payloadBytesMax,
    handshakeTimeout: handshakeTimeoutMs,
    followRedirects: false,
  });
  let ended = false;
  const end = (code: number, status: number | undefined): void => {
    if (ended) return;
    ended = true;
    ws.terminate();
    handlers.onClosed(code, status);
  };
  ws.on("open", () => {
    if (!ended) handlers.onOpen();
  });
  ws.on("message", (data: Buffer, isBinary) => {
    if (!ended && !isBinary) handlers.onText(data.toString("utf8"));
  });
  ws.on("unexpected-response", (_request, response) => {
    response.resume();
    end(1006, response.statusCode);
  });
  ws.on("close", (code) => end(code, undefined));
  // Without a listener it would end the process. A failed connection may emit `error` alone.
  ws.on("error", () => end(1006, undefined));
  return {
    send: (text) => ws.send(text, () => undefined),
    close() {
      ended = true;
      if (ws.readyState === WebSocket.OPEN) ws.close(1000);
      else ws.terminate();
    },
  };
};
