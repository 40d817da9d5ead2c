import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startTcpProxy } from "../../src/bench/faults/tcp-proxy.ts";

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

test("a throttled link lets so many bytes pass a second, all of them in the end", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  stage.proxy.throttle(4_000);
  const text = "x".repeat(1_200);
  const began = performance.now();
  socket.write(text);
  await expect.poll(received, { timeout: 5_000 }).toBe(text);
  // Both ways: but the way back begins when the first piece has arrived. The first piece of each waits for nothing.
  expect(performance.now() - began).toBeGreaterThanOrEqual(200);
  stage.proxy.throttle(Number.POSITIVE_INFINITY);
  socket.write("y".repeat(100_000));
  await expect.poll(() => received().length).toBe(101_200);
});

test("bytes with jitter keep their order", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  stage.proxy.delay(1, 20);
  const words = Array.from({ length: 50 }, (_, n) => `${n} `);
  for (const word of words) {
    socket.write(word);
    await new Promise(setImmediate);
  }
  await expect.poll(received).toBe(words.join(""));
});

test("a half-open connection stays open and leads nowhere, and is reset when the link is mended", async () => {
  await using stage = await setUp();
  const { socket, received } = stage.client;
  socket.write("before");
  await expect.poll(received).toBe("before");
  stage.proxy.halfOpen(true);
  socket.write("lost");
  const late = await join(stage.proxy.port);
  late.socket.write("lost as well");
  await expect.poll(() => stage.proxy.open).toBe(2);
  expect([socket.closed, late.socket.closed]).toEqual([false, false]);
  stage.proxy.halfOpen(false);
  await Promise.all([closed(socket), closed(late.socket)]);
  expect([received(), late.received()]).toEqual(["before", ""]);
  const next = await join(stage.proxy.port);
  next.socket.end("after");
  await closed(next.socket);
  expect(next.received()).toBe("after");
});

test("new connections are led where the proxy is told to, or are reset when nobody is there", async () => {
  await using stage = await setUp();
  await using other = await setUp();
  stage.proxy.retarget(undefined);
  const refused = connect(stage.proxy.port, "127.0.0.1").on("error", () => undefined);
  await closed(refused);
  stage.proxy.retarget(other.proxy.address);
  const next = await join(stage.proxy.port);
  next.socket.end("elsewhere");
  await closed(next.socket);
  expect(next.received()).toBe("elsewhere");
  expect(other.proxy.accepted).toBe(2);
});
