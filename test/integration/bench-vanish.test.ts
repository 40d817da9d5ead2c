import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { createSeededRandom } from "../../src/base/random.ts";
import { Fleet } from "../../src/bench/worker/fleet.ts";
import { eventually } from "../helpers/eventually.ts";

/** Greets whoever says HELLO, and notes whose connection ended. */
async function startGreeter() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const sockets: WebSocket[] = [];
  const closed: number[] = [];
  const welcome = { type: "WELCOME", node: "n", connection: "c", user_id: "ann", device: 1, server_time: 0 };
  server.on("connection", (ws) => {
    const index = sockets.push(ws) - 1;
    ws.on("message", (data: Buffer) => {
      if (data.toString().includes('"HELLO"'))
        ws.send(JSON.stringify({ ...welcome, heartbeat_ms: 30_000, limits: {} }));
    });
    ws.on("close", () => closed.push(index));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets, closed };
}

test("who vanishes keeps the connection open and reads nothing; it ends when the device comes back", async () => {
  const { url, server, sockets, closed } = await startGreeter();
  const heard: string[] = [];
  let nowMs = 0;
  const fleet = new Fleet({
    urls: [url],
    userIds: ["ann"],
    devices: [{ token: "t", device: 1 }],
    sourceAddresses: [],
    random: createSeededRandom(1),
    nowMs: () => nowMs,
    listener: {
      rows() {},
      restarted() {},
      sent() {},
      sendFailed() {},
      watermarks() {},
      conversation() {},
      connection: (_slot, state) => heard.push(state),
      synced() {},
      beat: () => heard.push("beat"),
      takes: (_slot, { type }) => (type === "PRESENCE" ? heard.push("presence") > 0 : false),
      told() {},
    },
  });
  try {
    fleet.start(0);
    await eventually(() => expect(fleet.isReady(0)).toBe(true));
    fleet.vanish(0, 60_000);
    expect([fleet.isReady(0), fleet.isAway(0), heard.at(-1)]).toEqual([false, true, "stopped"]);
    const [first] = sockets as [WebSocket];
    let isAnswered = false;
    first.on("pong", () => (isAnswered = true));
    first.ping();
    first.send(JSON.stringify({ type: "PRESENCE", user_id: "bob", online: true }));
    nowMs = 59_000;
    fleet.advance(nowMs);
    // A device that is there would have answered by the time that another one has come.
    fleet.transmit(0, { type: "HEARTBEAT" });
    expect(closed).toEqual([]);
    nowMs = 60_100;
    fleet.advance(nowMs);
    await eventually(() => expect(fleet.isReady(0)).toBe(true));
    expect([sockets.length, isAnswered, heard.includes("presence")]).toEqual([2, false, false]);
    await eventually(() => expect(closed).toEqual([0]));
  } finally {
    fleet.close();
    server.close();
  }
});
