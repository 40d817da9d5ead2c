import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../base/clock.ts";
import type { RateLimits } from "../core/ports/rate-limits.ts";
import { closeCodes } from "../protocol/close-codes.ts";
import { limits } from "../protocol/limits.ts";
import { WireError } from "../protocol/wire-errors.ts";
import type { TokenHolder } from "./accounts/account-types.ts";
import { closeTimeoutMs } from "./connection/connection-sweep.ts";
import { clientAddress } from "./http/client-address.ts";
import { problemOf } from "./http/problem.ts";
import { rawRefusal } from "./http/refusals.ts";
import type { RateRules } from "./rate-rules.ts";

/**
 * From an HTTP upgrade to an authenticated WebSocket, or to an HTTP refusal with a problem document. Cheap questions come
 * first: path, room, subprotocol, address limit, then the token.
 */
export interface UpgradeOptions {
  readonly rateLimits: RateLimits;
  readonly clock: Clock;
  readonly connectionsMax: number;
  /** Proxies whose word on who asks is taken. */
  readonly proxiesTrusted: number;
  readonly rules: () => RateRules;
  /** WebSockets open now. */
  readonly connections: () => number;
  /** Undefined while upgrades are welcome; otherwise how long a refused client should wait. */
  readonly drainingForMs: () => number | undefined;
  readonly authenticate: (accessToken: string) => Promise<TokenHolder | undefined>;
  onOpen(ws: WebSocket, socket: Duplex, holder: TokenHolder): void;
  onRefused(status: number): void;
  onFailure(error: unknown): void;
}

export const subprotocol = "msgr.v1";
const tokenPrefix = "msgr.token.";
const retryWhenFullMs = 5_000;

/** Codes that `ws` gives to broken framing, as this protocol's own: the same reasons, and they say whether to come back. */
const closeCodeOf: Readonly<Record<number, number>> = {
  1002: closeCodes.bad_frame.code,
  1003: closeCodes.bad_frame.code,
  1007: closeCodes.bad_frame.code,
  1008: closeCodes.bad_frame.code,
  1009: closeCodes.frame_too_large.code,
};

class ServerSocket extends WebSocket {
  override close(code?: number, text?: string | Buffer): void {
    const own = code === undefined ? undefined : closeCodeOf[code];
    if (own === undefined || (text !== undefined && text.length > 0)) super.close(code, text);
    else
      super.close(
        own,
        own === closeCodes.bad_frame.code ? closeCodes.bad_frame.reason : closeCodes.frame_too_large.reason,
      );
  }
}

export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #server: WebSocketServer;
  /** Upgrades that wait for their token to be looked up. */
  #pending = 0;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.frameBytesMax,
      maxFragments: limits.frameFragmentsMax,
      maxBufferedChunks: limits.frameFragmentsMax * 64,
      closeTimeout: closeTimeoutMs,
      autoPong: false,
      WebSocket: ServerSocket,
      handleProtocols: () => subprotocol,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
  }

  /** For the `upgrade` event of an HTTP server. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener a peer that resets now would end the process.
    socket.on("error", ignore);
    this.#pending++;
    void this.#upgrade(request, socket, head).finally(() => {
      this.#pending--;
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const holder = await this.#admit(request);
      if (socket.destroyed) return;
      // Everybody else was asked to leave while the token was looked up; nobody would ask this one.
      this.#refuseDraining();
      socket.removeListener("error", ignore);
      this.#server.handleUpgrade(request, socket, head, (ws) => this.#options.onOpen(ws, socket, holder));
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  async #admit(request: IncomingMessage): Promise<TokenHolder> {
    const { connections, connectionsMax, authenticate } = this.#options;
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== "/ws") throw new WireError("not_found");
    this.#refuseDraining();
    if (connections() + this.#pending > connectionsMax) {
      throw new WireError("overloaded", {
        detail: "The server holds as many connections as it may.",
        retryAfterMs: retryWhenFullMs,
      });
    }
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((entry) => entry.trim());
    if (!offered.includes(subprotocol)) throw new SubprotocolMissing();
    await this.#limit(clientAddress(request, this.#options.proxiesTrusted));
    const token = tokenOf(request.headers.authorization, offered);
    const holder = token === undefined ? undefined : await authenticate(token);
    if (holder === undefined) throw new WireError("unauthenticated");
    return holder;
  }

  #refuseDraining(): void {
    const drainMs = this.#options.drainingForMs();
    if (drainMs !== undefined) throw new WireError("draining", { retryAfterMs: drainMs });
  }

  async #limit(address: string): Promise<void> {
    const { rateLimits, clock, rules } = this.#options;
    const rule = rules().upgrade;
    if (rule === undefined) return;
    const waitMs = await rateLimits.take(`upgrade:${address}`, rule, 1, clock.nowMs());
    if (waitMs > 0) throw new WireError("rate_limited", { retryAfterMs: waitMs });
  }

  #refuse(socket: Duplex, error: unknown): void {
    const known = error instanceof WireError ? error : new WireError("internal", { cause: error });
    if (known !== error) this.#options.onFailure(error);
    const problem = problemOf(known);
    const status = error instanceof SubprotocolMissing ? 426 : problem.status;
    this.#options.onRefused(status);
    const headers = status === 426 ? { upgrade: "websocket", "sec-websocket-protocol": subprotocol } : {};
    if (!socket.writable) return void socket.destroy();
    socket.end(rawRefusal({ ...problem, status }, headers));
    // HTTP has let go of the socket: one whose other end never hangs up would stay, and hold up the end of this process.
    this.#options.clock.schedule(closeTimeoutMs, () => socket.destroy());
  }
}

class SubprotocolMissing extends WireError {
  constructor() {
    super("bad_request", { detail: `Offer the subprotocol ${subprotocol}.` });
  }
}

/** Browsers cannot set headers on an upgrade: they offer the token as a second subprotocol. Never read from the URL. */
function tokenOf(authorization: string | undefined, offered: readonly string[]): string | undefined {
  const match = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? "");
  if (match !== null) return match[1];
  return offered.find((entry) => entry.startsWith(tokenPrefix))?.slice(tokenPrefix.length);
}

function ignore(): void {}
