import { fastify, type FastifyInstance } from "fastify";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WireError } from "../protocol/wire-errors.ts";
import { closeTimeoutMs } from "./connection/connection-sweep.ts";
import { isWatched } from "./media/watch-progress.ts";
import { refuse, refuseConnection, toWireError } from "./http/refusals.ts";

/** An HTTP server on a port, not listening yet. Logging is the caller's; unknown paths and errors are set by the routes. */
export function createListener(): FastifyInstance {
  const app: FastifyInstance = fastify({
    // Other upgrades are offers, which a server may pass over (RFC 9110 §7.8): some clients offer h2c with every request.
    http: { shouldUpgradeCallback: (request) => isWebSocket(request) && app.server.listenerCount("upgrade") > 0 },
    // Idle keep-alive connections must not hold a drain up.
    forceCloseConnections: true,
    return503OnClosing: false,
    // A reader that trickles its headers or body ends here; WebSockets have left HTTP by then.
    requestTimeout: 30_000,
    connectionTimeout: 0,
    keepAliveTimeout: 15_000,
    routerOptions: { maxParamLength: 128 },
    // What happens before a route is found goes past the error handlers of the routes.
    frameworkErrors: (error, _request, reply) => void refuse(reply, toWireError(error) ?? new WireError("internal")),
    clientErrorHandler: (error, socket) => {
      // Large bodies have a watch of their own.
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && isWatched(socket)) return;
      if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
      else {
        socket.end(refuseConnection(error));
        // Whoever does not hang up now is asked for nothing any more, and would keep his socket for ever.
        setTimeout(() => socket.destroy(), closeTimeoutMs).unref();
      }
    },
  });
  return app;
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number, cause: unknown) {
    super(`Port ${port} on ${host} is taken by another process.`, { cause });
    this.host = host;
    this.port = port;
  }
}

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Where the port is taken, another one will do. */
  readonly anyPort: boolean;
  /** A worker of a supervisor shares its port with the other workers, unless it is exclusive. */
  readonly exclusive: boolean;
}

/** The address it listens on. Rejects with PortTakenError, or with the system's error (no such address, no permission). */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<AddressInfo> {
  const { host, port, anyPort, exclusive } = options;
  try {
    await app.listen({ host, port, exclusive, backlog: 4_096 });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EADDRINUSE") throw error;
    if (!anyPort) throw new PortTakenError(host, port, error);
    await app.listen({ host, port: 0, exclusive });
  }
  return app.server.address() as AddressInfo;
}

export function urlOf({ address, family, port }: AddressInfo): string {
  const unspecified = address === "0.0.0.0" || address === "::";
  const host = unspecified ? "localhost" : family === "IPv6" ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
