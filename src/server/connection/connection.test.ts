import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import type { WebSocket } from "ws";
import { describe, expect, test } from "vitest";
import { closeCodes, type CloseReason } from "../../protocol/close-codes.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { Connection } from "./connection.ts";

class FakeSocket extends EventEmitter {
  readonly closes: (readonly [code: number, reason: string])[] = [];
  paused = false;
  pongs = 0;
  terminated = false;

  close(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  pong(): void {
    this.pongs++;
  }
  terminate(): void {
    this.terminated = true;
  }
}

function open() {
  const ws = new FakeSocket();
  const written: Buffer[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const frames: ClientFrame[] = [];
  const events: string[] = [];
  const dirty: { flush(): void }[] = [];
  const host = {
    round: { add: (target: { flush(): void }) => void dirty.push(target) },
    now: 1_000,
    nowMs: () => host.now,
    onFrame: (_connection: Connection, frame: ClientFrame) => void frames.push(frame),
    onWrongFrame: (_connection: Connection, error: { code: string }) => void events.push(`wrong ${error.code}`),
    onLeaving: (_connection: Connection, wasGreeted: boolean) => void events.push(wasGreeted ? "left" : "left early"),
    onClosed: () => void events.push("closed"),
    onFrameOut: () => {},
    onCloseSent: (reason: CloseReason) => void events.push(`close ${reason}`),
  };
  const identity = { id: "c1", ordinal: 1, caller: { userId: "u", device: 1 }, familyId: "family" };
  const connection = new Connection(host, ws as unknown as WebSocket, socket, identity);
  const receive = (text: string | Buffer, binary = false): void => void ws.emit("message", Buffer.from(text), binary);
  const turn = (): void => {
    for (const target of dirty.splice(0)) target.flush();
  };
  return { ws, socket, written, frames, events, host, connection, receive, turn };
}

const heartbeat = JSON.stringify({ type: "HEARTBEAT" });

describe("Connection", () => {
  test("hands well-formed frames on, in every state that takes them", () => {
    const { receive, frames, connection } = open();
    receive(heartbeat);
    connection.greet();
    receive(heartbeat);
    connection.drain();
    receive(heartbeat);
    expect(frames).toHaveLength(2);
  });

  test.each<[string, string | Buffer, boolean, CloseReason]>([
    ["malformed", "{", false, "bad_frame"],
    ["binary", heartbeat, true, "bad_frame"],
    ["deep", "[".repeat(200), false, "bad_frame"],
    ["oversize", " ".repeat(limits.frameBytesMax + 1), false, "frame_too_large"],
  ])("a %s frame ends the connection with its code", (_name, bytes, binary, reason) => {
    const { receive, ws, frames, events } = open();
    receive(bytes, binary);
    expect(ws.closes[0]?.[0]).toBe(closeCodes[reason].code);
    expect(frames).toHaveLength(0);
    expect(events).toEqual(["left early", `close ${reason}`]);
  });

  test("an unknown or wrong frame does not", () => {
    const { receive, ws, events } = open();
    receive('{"type":"CALL"}');
    receive('{"type":"HELLO"}');
    expect(ws.closes).toEqual([]);
    expect(events).toEqual(["wrong unknown_frame", "wrong bad_request"]);
  });

  test("close reasons fit a close frame, whatever the detail", () => {
    const { connection, ws } = open();
    connection.close("bad_frame", "ä".repeat(200));
    const [, reason] = ws.closes[0] as [number, string];
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(reason.isWellFormed() && !reason.includes("\ufffd")).toBe(true);
  });

  test("what was sent before a close leaves before it, what is sent after does not leave", () => {
    const { connection, written, turn } = open();
    connection.send({ type: "RESYNC", reason: "before" });
    connection.close("replaced");
    expect(written.map(String).join("")).toContain("before");
    connection.send({ type: "RESYNC", reason: "after" });
    turn();
    expect(written.map(String).join("")).not.toContain("after");
  });

  test("leaving is told once, whichever way it ends", () => {
    const { connection, ws, events } = open();
    connection.greet();
    connection.close("slow");
    connection.close("flood");
    connection.drain();
    ws.emit("close", 4001);
    ws.emit("close", 4001);
    expect(events).toEqual(["left", "close slow", "closed"]);
    expect(connection.state).toBe("closed");
  });

  test("draining answers what is in flight before the close frame", () => {
    const { connection, ws, written, turn } = open();
    connection.greet();
    connection.begin(1);
    connection.drain();
    expect([connection.state, ws.closes.length]).toEqual(["draining", 0]);
    connection.send({ type: "HEARTBEAT_ACK", server_time: 5 });
    connection.end(1);
    turn();
    expect(ws.closes[0]?.[0]).toBe(closeCodes.drain.code);
    expect(written.map(String).join("")).toContain("HEARTBEAT_ACK");
  });

  test("too much in flight stops the reading until half of it is done", () => {
    const { connection, ws } = open();
    for (let count = 0; count < limits.draftsPerConnectionMax; count++) connection.begin(1);
    expect([ws.paused, connection.paused]).toEqual([true, true]);
    for (let count = 0; count < limits.draftsPerConnectionMax / 2 - 1; count++) connection.end(1);
    expect(ws.paused).toBe(true);
    connection.end(1);
    expect([ws.paused, connection.paused]).toEqual([false, false]);
  });

  test("silence while nobody listened is not held against the client", () => {
    const { connection, host } = open();
    connection.begin(limits.draftsPerConnectionMax);
    host.now = 500_000;
    connection.end(limits.draftsPerConnectionMax);
    expect(connection.heardAtMs).toBe(500_000);
  });

  test("a page after the end rejects, so that nobody reads on for it", async () => {
    const { connection } = open();
    connection.close("slow");
    await expect(connection.sendPage({ type: "RESYNC", reason: "page" })).rejects.toMatchObject({ code: "draining" });
  });

  test("pings are answered", () => {
    const { ws } = open();
    ws.emit("ping", Buffer.alloc(0));
    expect(ws.pongs).toBe(1);
  });
});
