import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createDeferred } from "../base/deferred.ts";
import type { TokenHolder } from "./accounts/account-types.ts";
import { ratePresets } from "./rate-rules.ts";
import { Upgrades } from "./upgrade.ts";

const holder: TokenHolder = { userId: "u", device: 1, familyId: "f", accessExpiresAt: 0 };
const opened: Disposable[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each[Symbol.dispose]();
});

/** A server whose timers run when the test says so. */
async function serve(authenticate: () => Promise<TokenHolder | undefined>) {
  const timers: (() => void)[] = [];
  const accepted: Socket[] = [];
  const state = { draining: false, opened: 0 };
  const upgrades = new Upgrades({
    rateLimits: { take: () => 0 },
    clock: { ...systemClock, schedule: (_ms, run) => (timers.push(run), { cancel() {} }) },
    connectionsMax: 10,
    proxiesTrusted: 0,
    rules: () => ratePresets.off,
    connections: () => 0,
    drainingForMs: () => (state.draining ? 1_000 : undefined),
    authenticate,
    onOpen: () => void state.opened++,
    onRefused() {},
    onFailure() {},
  });
  const server = createServer();
  server.on("connection", (socket) => accepted.push(socket));
  server.on("upgrade", (request, socket, head) => upgrades.handle(request, socket, head));
  await once(server.listen(0, "127.0.0.1"), "listening");
  opened.push({ [Symbol.dispose]: () => (accepted.forEach((socket) => socket.destroy()), void server.close()) });
  return { port: (server.address() as AddressInfo).port, timers, accepted, state };
}

/** A client that never ends its side of the connection; resolves with what it was answered, once the server ended its own. */
async function ask(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  opened.push({ [Symbol.dispose]: () => void socket.destroy() });
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  socket.on("error", () => {});
  const headers = ["Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  headers.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: msgr.v1");
  socket.write(["GET /ws HTTP/1.1", ...headers, `Authorization: Bearer x`, "", ""].join("\r\n"));
  await once(socket, "end");
  return answer;
}

test("who is refused and does not hang up is hung up on, or a drain would wait for him for ever", async () => {
  const { port, timers, accepted } = await serve(async () => undefined);
  expect(await ask(port)).toMatch(/^HTTP\/1.1 401 /);
  for (const run of timers) run();
  expect(accepted.map((socket) => socket.destroyed)).toEqual([true]);
});

test("a connection whose token was looked up while the drain began is refused: nobody would close it", async () => {
  const lookup = createDeferred<TokenHolder>();
  const asked = createDeferred<void>();
  const { port, state } = await serve(() => {
    asked.resolve();
    return lookup.promise;
  });
  const answer = ask(port);
  await asked.promise;
  state.draining = true;
  lookup.resolve(holder);
  expect(await answer).toMatch(/^HTTP\/1.1 503 /);
  expect(state.opened).toBe(0);
});
