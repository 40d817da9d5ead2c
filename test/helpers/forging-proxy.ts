import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/**
 * Stands between clients and a server and lies about one message: it answers the SEND_MESSAGE number `forged` with an ACK
 * and never passes it on. No client can notice; only the log can tell. 0 = it lies about none. Pushed messages can be made to
 * come late. And it lies about people: of the PRESENCE that says online, those numbered from `offline[0]` to `offline[1]` say offline.
 */
export interface ForgingProxy extends AsyncDisposable {
  readonly url: string;
  readonly lies: () => number;
}

interface SendMessage {
  readonly type: string;
  readonly request: string;
  readonly message_id: string;
  readonly since: number;
  readonly to: object;
}

export async function startForgingProxy(
  target: string,
  forged: number,
  pushDelayMs = 0,
  offline: readonly [from: number, to: number] = [0, 0],
): Promise<ForgingProxy> {
  let [seen, lies, online] = [0, 0, 0];
  const isOffline = (text: string): boolean => {
    if (!text.includes('"PRESENCE"') || !text.includes('"online":true')) return false;
    online++;
    return online >= offline[0] && online <= offline[1];
  };
  const sockets = new Set<WebSocket>();
  const server = createServer((incoming, answer) => passOn(target, incoming, answer));
  const upgrades = new WebSocketServer({ noServer: true, handleProtocols: () => "msgr.v1" });
  server.on("upgrade", (incoming, socket, head) => {
    upgrades.handleUpgrade(incoming, socket, head, (client) => {
      const authorization = incoming.headers.authorization ?? "";
      const behind = new WebSocket(`${target.replace("http", "ws")}/ws`, "msgr.v1", { headers: { authorization } });
      const waiting: string[] = [];
      for (const ws of [client, behind]) {
        sockets.add(ws);
        ws.on("error", () => {});
      }
      client.on("message", (data: Buffer) => {
        const text = data.toString();
        if (text.includes('"SEND_MESSAGE"') && ++seen === forged) {
          lies++;
          client.send(JSON.stringify(forge(JSON.parse(text) as SendMessage)));
        } else if (behind.readyState === WebSocket.OPEN) behind.send(text);
        else waiting.push(text);
      });
      behind.on("open", () => waiting.forEach((text) => behind.send(text)));
      behind.on("message", (data: Buffer) => {
        const text = data.toString();
        if (isOffline(text)) {
          lies++;
          client.send(text.replace('"online":true', '"online":false'));
        } else if (pushDelayMs === 0 || !text.includes('"NEW_MESSAGE"')) client.send(text);
        else setTimeout(() => client.send(text, () => {}), pushDelayMs).unref();
      });
      client.on("close", () => behind.terminate());
      behind.on("close", () => client.terminate());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies: () => lies,
    async [Symbol.asyncDispose]() {
      for (const ws of sockets) ws.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function forge({ request: name, message_id, since }: SendMessage): object {
  return {
    type: "ACK",
    request: name,
    message_id,
    conversation_id: message_id,
    seq: since + 1,
    status: "sent",
    sent_at: Date.now(),
    ucount: since + 1,
  };
}

function passOn(target: string, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, headers, url } = incoming;
  const behind = request(new URL(url ?? "/", target), { method: method ?? "GET", headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  behind.on("error", () => answer.destroy());
  incoming.pipe(behind);
}
