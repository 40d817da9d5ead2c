import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startTcpProxy } from "../helpers/tcp-proxy.ts";

/** A server that sends back what it gets, a proxy before it, and a client that is connected. */
async function setUp() {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startTcpProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = await join(proxy.port);
  return {
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      client.socket.destroy();
      await proxy[Symbol.asyncDispose]();
      server.close();
      await once(server, "close");
    },
  };
}

async function join(port: number): Promise<{ readonly socket: Socket; readonly received: () => string }> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => (received += bytes.toString()));
  await once(socket, "connect");
  return { socket, received: () => received };
}

/** Unlike `once`, also after an error. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => void socket.once("close", resolve));
}

test("bytes pass, and the end of one side reaches the other", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  socket.end("hello");
  await closed(socket);
  expect(received()).toBe("hello");
  expect(stage.proxy.open).toBe(0);
});

test("what is held stays, in its direction only, and goes on in order", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  stage.proxy.hold("toServer");
  socket.write("one ");
  await stage.proxy.whenHeld("toServer", 4);
  socket.write("two ");
  await stage.proxy.whenHeld("toServer", 8);
  expect(received()).toBe("");
  stage.proxy.release();
  socket.write("three");
  await expect.poll(received).toBe("one two three");
});

test("what is delayed comes later, in order", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  stage.proxy.delay(40);
  const began = performance.now();
  socket.write("slow ");
  stage.proxy.delay(0);
  socket.write("and fast");
  await expect.poll(received).toBe("slow and fast");
  stage.proxy.delay(40);
  socket.write("!");
  await expect.poll(received).toBe("slow and fast!");
  expect(performance.now() - began).toBeGreaterThanOrEqual(79);
});

test("a cut connection is reset, with what was held, and new ones are let in or not", async () => {
  await using stage = await setUp();
  stage.proxy.hold("toServer");
  stage.client.socket.write("lost");
  await stage.proxy.whenHeld("toServer");
  stage.proxy.cut();
  await closed(stage.client.socket);
  stage.proxy.refuse(true);
  stage.proxy.release();
  // Before or after it looks connected.
  const refused = connect(stage.proxy.port, "127.0.0.1").on("error", () => undefined);
  await closed(refused);
  stage.proxy.refuse(false);
  const next = await join(stage.proxy.port);
  next.socket.end("found");
  await closed(next.socket);
  expect(next.received()).toBe("found");
  expect(stage.proxy.accepted).toBe(3);
});
