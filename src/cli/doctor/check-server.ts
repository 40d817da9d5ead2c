import { WebSocket } from "ws";
import { listenerIsFree } from "./listener-is-free.ts";
import { ok, type Check, type Finding } from "./finding.ts";

const timeoutMs = 5_000;

/**
 * Whether clients reach a server: an upgrade without a token has to be answered with 401 by msgr itself, through every
 * load balancer on the way.
 */
export const serverCheck: Check = {
  name: "server",
  async run({ config }) {
    const { host, port } = config.http;
    const url =
      config.client.server_url ?? `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${port}`;
    const status = await upgradeStatus(new URL("/ws", url));
    return [await serverFinding(url, status, () => listenerIsFree(host, port))];
  },
};

export async function serverFinding(
  url: string,
  status: number | string,
  portIsFree: () => Promise<boolean>,
): Promise<Finding> {
  const check = "server";
  if (status === 401) return ok(check, `${url} answers, and passes WebSockets on`);
  if (typeof status === "number") {
    const message = `${url}/ws answers an upgrade with ${status}: that is not msgr, or the upgrade does not reach it`;
    const fix = "Behind a load balancer: pass `Upgrade` and `Connection` on (deploy/nginx/msgr.conf shows how).";
    return { check, state: "fail", message, fix };
  }
  if (await portIsFree()) {
    return { check, state: "warn", message: `no server runs at ${url} (${status})`, fix: "`msgr serve` starts one." };
  }
  const fix = "Stop the process that has the port, or set http.port to another one.";
  return {
    check,
    state: "fail",
    message: `${url} does not answer as msgr does (${status}), and the port is taken`,
    fix,
  };
}

/** Status of an upgrade without a token, or in a word why there is none. */
function upgradeStatus(url: URL): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, "msgr.v1", { handshakeTimeout: timeoutMs });
  socket.on("unexpected-response", (request, response) => {
    request.destroy();
    resolve(response.statusCode ?? 0);
  });
  socket.on("open", () => {
    socket.terminate();
    resolve(101);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  return promise;
}
