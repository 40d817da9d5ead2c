import { describe, expect, test } from "vitest";
import { group, peer, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";
import { closeCodes } from "../../protocol/close-codes.ts";

describe("the connection", () => {
  test("HELLO names the device, and nothing else goes out before WELCOME", () => {
    const device = new ScriptedMachine();
    device.say("00000000-0000-7000-8000-000000000901");
    device.machine.start(0);
    expect(device.connects).toBe(1);
    device.machine.connected(0);
    expect(device.takeSent()).toMatchObject([{ type: "HELLO", device: 1 }]);
  });

  test("a server that does not greet is left", () => {
    const device = new ScriptedMachine({ welcomeTimeoutMs: 1_000 });
    device.machine.start(0);
    device.machine.connected(0);
    device.pass(1_001);
    expect(device.disconnects).toEqual(["no WELCOME"]);
    expect(device.machine.connectionState).toBe("waiting");
  });

  test("heartbeats go out every interval, the first one within it", () => {
    const device = ScriptedMachine.ready();
    for (let beat = 0; beat < 10; beat++) {
      device.pass(30_000);
      device.hear({ type: "HEARTBEAT_ACK", server_time: 0 });
    }
    expect(device.sentOf("HEARTBEAT")).toHaveLength(10);
  });

  test("a connection on which nothing comes for two and a half intervals is dead", () => {
    const device = ScriptedMachine.ready();
    device.pass(74_999);
    expect(device.disconnects).toEqual([]);
    device.pass(2);
    expect(device.disconnects).toEqual(["silent"]);
  });

  test("attempts spread out more and more, and start small again after a whole sync", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 100, backoffMaxMs: 100_000 });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      device.machine.disconnected(device.nowMs, 1006);
      const event = device.events.findLast((candidate) => candidate.type === "connection");
      waits.push((event?.retryAtMs ?? 0) - device.nowMs);
      device.pass(100_000);
    }
    waits.forEach((wait, attempt) => expect(wait).toBeLessThan(100 * 2 ** attempt));
    expect(Math.max(...waits.slice(5))).toBeGreaterThan(1_000);
    device.greet();
    device.finishSync();
    device.machine.disconnected(device.nowMs, 1006);
    const event = device.events.findLast((candidate) => candidate.type === "connection");
    expect((event?.retryAtMs ?? 0) - device.nowMs).toBeLessThan(100);
  });

  test.each(Object.entries(closeCodes))("%s: comes back by itself exactly when the code allows it", (_name, entry) => {
    const device = ScriptedMachine.ready();
    device.machine.disconnected(0, entry.code);
    expect(device.machine.connectionState).toBe(entry.code < 4500 ? "waiting" : "stopped");
    device.pass(60_000);
    expect(device.connects).toBe(entry.code < 4500 ? 2 : 1);
  });

  test("RECONNECT moves to a new connection at the moment it names", () => {
    const device = ScriptedMachine.ready();
    device.hear({ type: "RECONNECT", after_ms: 700, reason: "drain" });
    device.pass(699);
    expect(device.connects).toBe(1);
    device.pass(2);
    expect(device.disconnects).toEqual(["moved"]);
    expect(device.connects).toBe(2);
  });

  test("stop stays away, start comes back", () => {
    const device = ScriptedMachine.ready();
    device.machine.stop(0);
    device.machine.disconnected(0, 1000);
    device.pass(100_000);
    expect(device.connects).toBe(1);
    device.machine.start(device.nowMs);
    expect(device.connects).toBe(2);
  });

  test("what is watched and what is open is asked for again on each connection", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 1, backoffMaxMs: 1 });
    device.sync(group, 1, 1, { last_seq: 1 });
    device.machine.watch(0, [peer]);
    device.machine.openConversation(0, group);
    device.takeSent();
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    expect(device.last("WATCH").user_ids).toEqual([peer]);
    expect(device.last("RECEIPTS").conversation_id).toBe(group);
  });

  test("frames of a type that it does not know are ignored", () => {
    const device = ScriptedMachine.ready();
    device.hear({ type: "FROM_THE_FUTURE" } as never);
    expect(device.machine.connectionState).toBe("ready");
  });
});
