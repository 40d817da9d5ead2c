import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createListener, listen } from "../../src/server/listener.ts";

/** The first line of the answer to a request that offers to go on with another protocol. */
async function offer(port: number, protocol: string): Promise<string | undefined> {
  const socket = connect(port, "127.0.0.1");
  const headers = ["Host: x", "Connection: Upgrade, close", `Upgrade: ${protocol}`];
  socket.write(["GET /there HTTP/1.1", ...headers, "", ""].join("\r\n"));
  return (await text(socket)).split("\r\n")[0];
}

async function start() {
  const app = createListener();
  app.get("/there", async () => "found");
  onTestFinished(() => app.close());
  return { app, listening: () => listen(app, { host: "127.0.0.1", port: 0, anyPort: false, exclusive: true }) };
}

test("an offer of h2c is passed over; a WebSocket is for whoever takes upgrades", async () => {
  const { app, listening } = await start();
  app.server.on("upgrade", (_request, socket) => void socket.end("HTTP/1.1 418 upgraded\r\n\r\n"));
  const { port } = await listening();
  expect(await offer(port, "h2c")).toBe("HTTP/1.1 200 OK");
  expect(await offer(port, "WebSocket")).toBe("HTTP/1.1 418 upgraded");
});

test("where nobody takes upgrades, a WebSocket is an offer as well", async () => {
  const { app, listening } = await start();
  const { port } = await listening();
  expect(await offer(port, "websocket")).toBe("HTTP/1.1 200 OK");
  const closed = once(app.server, "close");
  await app.close();
  await closed;
});
