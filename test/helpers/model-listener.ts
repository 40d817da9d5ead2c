import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { createSystemRandom } from "../../src/base/random.ts";
import { encodeFrame, parseClientFrame } from "../../src/protocol/codec.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { ModelServer } from "./model-server.ts";

/** The model server on a real port: WebSockets, tokens that can be made invalid, and the refresh endpoint. */
export class ModelListener implements AsyncDisposable {
  readonly model: ModelServer;
  /** Valid access tokens and whose they are. */
  readonly tokens = new Map<string, { user: Uuid; device: number }>();
  /** Refresh tokens that work once. */
  readonly refreshTokens = new Map<string, { user: Uuid; device: number }>();
  upgradesRefused = 0;
  readonly #http: Server;
  readonly #ws = new WebSocketServer({ noServer: true, handleProtocols: () => "msgr.v1" });
  #issued = 0;

  constructor() {
    const time = {
      get nowMs() {
        return Date.now();
      },
      schedule: (delayMs: number, run: () => void) => setTimeout(run, Math.max(0, delayMs)),
    };
    this.model = new ModelServer(time, createSystemRandom());
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#http.on("upgrade", (request, socket, head) => {
      const holder = this.tokens.get((request.headers.authorization ?? "").replace("Bearer ", ""));
      if (holder === undefined) {
        this.upgradesRefused++;
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      this.#ws.handleUpgrade(request, socket, head, (ws) => this.#serve(ws, holder));
    });
  }

  static async start(): Promise<ModelListener> {
    const listener = new ModelListener();
    listener.#http.listen(0, "127.0.0.1");
    await once(listener.#http, "listening");
    return listener;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  issue(user: Uuid, device: number): { accessToken: string; refreshToken: string } {
    const accessToken = `access-${++this.#issued}`;
    const refreshToken = `refresh-${this.#issued}`;
    this.tokens.set(accessToken, { user, device });
    this.refreshTokens.set(refreshToken, { user, device });
    return { accessToken, refreshToken };
  }

  /** Ends every connection with `code`. */
  closeAll(code: number): void {
    for (const ws of this.#ws.clients) ws.close(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const ws of this.#ws.clients) ws.terminate();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #serve(ws: WebSocket, holder: { user: Uuid; device: number }): void {
    const connection = this.model.connect(holder.user, holder.device, (frame) => ws.send(encodeFrame(frame)));
    ws.on("message", (data: Buffer) => {
      const parsed = parseClientFrame(data.toString("utf8"));
      if (parsed.ok) this.model.take(connection, parsed.frame);
      else this.model.violations.push(parsed.detail);
    });
    ws.on("close", () => this.model.close(connection));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { refresh_token: string };
    const holder = this.refreshTokens.get(body.refresh_token);
    if (request.url !== "/api/refresh" || holder === undefined) {
      const problem = { code: "token_reused", detail: "used before", fix: "Log in again." };
      response.writeHead(401, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
      return;
    }
    this.refreshTokens.delete(body.refresh_token);
    const { accessToken, refreshToken } = this.issue(holder.user, holder.device);
    const answer = {
      user_id: holder.user,
      device: holder.device,
      access_token: accessToken,
      access_expires_at: Date.now() + 3_600_000,
      refresh_token: refreshToken,
    };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
}
