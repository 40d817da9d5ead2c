import { describe, expect, test } from "vitest";
import { chat, registersOf, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";

function answer(device: ScriptedMachine, request: string, accepted: boolean, recv: number, read = 0): void {
  const registers = registersOf({ recv_seq: recv, read_seq: read, last_seq: recv });
  device.hear({ type: "RECEIPT_ACK", request, conversation_id: chat, accepted, registers });
}

describe("receipts", () => {
  test("a burst is one DELIVERED, and it waits for the disk", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 20 });
    device.durableAtOnce = false;
    for (const seq of [1, 2, 3]) device.push(seq);
    device.pass(100);
    expect(device.sentOf("DELIVERED")).toEqual([]);
    device.machine.durable(device.nowMs, device.changes.length);
    device.pass(20);
    expect(device.sentOf("DELIVERED")).toMatchObject([{ conversation_id: chat, from: 1, seq: 3 }]);
  });

  test("one is in flight; what came meanwhile is claimed after its answer", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    device.push(1);
    device.push(2);
    expect(device.sentOf("DELIVERED")).toHaveLength(1);
    answer(device, device.last("DELIVERED").request, true, 1);
    expect(device.last("DELIVERED")).toMatchObject({ from: 2, seq: 2 });
  });

  test("an unanswered receipt is owed again on the next connection", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0, backoffMinMs: 1, backoffMaxMs: 1 });
    device.push(1);
    device.takeSent();
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    expect(device.last("DELIVERED")).toMatchObject({ from: 1, seq: 1 });
    answer(device, device.last("DELIVERED").request, true, 1);
    device.takeSent();
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    expect(device.sentOf("DELIVERED")).toEqual([]);
  });

  test("a refused claim makes the device fill what is missing, then claim again", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    device.sync(chat, 51, 60, { last_seq: 60, recv_seq: 60, read_seq: 60 });
    device.push(61);
    answer(device, device.last("DELIVERED").request, false, 60);
    expect(device.machine.counters.receiptsRefused).toBe(1);
    device.takeSent();
    device.pass(20_000);
    // Nothing is missing, so saying it again would change nothing.
    expect(device.sentOf("DELIVERED")).toEqual([]);

    const registers = registersOf({ recv_seq: 40, read_seq: 40 });
    const stored = { conversations: [{ ...record, registers }], outbox: [] };
    const behind = new ScriptedMachine({ receiptDelayMs: 0 }, stored);
    behind.machine.start(0);
    behind.greet();
    behind.finishSync();
    expect(behind.last("RANGE")).toMatchObject({ from: 41, to: 50 });
    behind.range(41, 50);
    expect(behind.last("DELIVERED")).toMatchObject({ from: 41, seq: 60 });
  });

  test("own rows alone owe nothing", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    device.say("00000000-0000-7000-8000-000000000901");
    device.ack(0, 1);
    device.pass(1_000);
    expect(device.sentOf("DELIVERED")).toEqual([]);
    expect(device.sentOf("READ_RECEIPT")).toEqual([]);
  });

  test("reading is claimed from the read watermark, at most what is held, once", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    for (const seq of [1, 2, 3]) device.push(seq);
    device.machine.markRead(device.nowMs, chat, 99);
    expect(device.last("READ_RECEIPT")).toMatchObject({ from: 1, seq: 3 });
    answer(device, device.last("READ_RECEIPT").request, true, 3, 3);
    device.machine.markRead(device.nowMs, chat, 2);
    device.machine.markRead(device.nowMs, chat, 3);
    expect(device.sentOf("READ_RECEIPT")).toHaveLength(1);
  });

  test("what was seen is claimed only when it is durable here: read includes delivered", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    device.durableAtOnce = false;
    for (const seq of [1, 2]) device.push(seq);
    device.machine.markRead(device.nowMs, chat, 2);
    expect(device.sentOf("READ_RECEIPT")).toEqual([]);
    device.machine.durable(device.nowMs, device.changes.length);
    expect(device.last("READ_RECEIPT")).toMatchObject({ from: 1, seq: 2 });
  });

  test("a send carries the run that was viewed, unless others still have to be told that it was read", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    for (const seq of [1, 2]) device.push(seq);
    device.machine.markRead(device.nowMs, chat, 2);
    device.say("00000000-0000-7000-8000-000000000901");
    expect(device.last("SEND_MESSAGE")).not.toHaveProperty("read");
    answer(device, device.last("READ_RECEIPT").request, true, 2, 2);
    device.say("00000000-0000-7000-8000-000000000902");
    expect(device.last("SEND_MESSAGE")).toMatchObject({ read_from: 2, read: 2 });
  });

  test("what this user has seen is told until that is answered, though a sync shows it as read already", () => {
    const config = { receiptDelayMs: 20, backoffMinMs: 1, backoffMaxMs: 1 };
    const device = ScriptedMachine.ready(config);
    device.push(1);
    device.pass(20);
    answer(device, device.last("DELIVERED").request, true, 1);
    device.machine.disconnected(device.nowMs, 1006);
    device.machine.markRead(device.nowMs, chat, 1);
    const conversations = device.changes.flatMap((change) => change.conversation ?? []).slice(-1);
    for (const next of [device, new ScriptedMachine(config, { conversations, outbox: [] })]) {
      if (next === device) next.pass(2);
      else next.machine.start(0);
      next.greet();
      next.sync(chat, 2, 1, { last_seq: 1, recv_seq: 1, read_seq: 1, read_ucount: 1 });
      next.finishSync();
      next.pass(20);
      expect(next.sentOf("READ_RECEIPT")).toMatchObject([{ from: 1, seq: 1 }]);
      answer(next, next.last("READ_RECEIPT").request, true, 1, 1);
      next.push(2);
      next.pass(20);
      expect(next.sentOf("READ_RECEIPT")).toHaveLength(1);
    }
  });

  test("so is what was said to have arrived; what another device has told is not said again", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 20, backoffMinMs: 1, backoffMaxMs: 1 });
    device.push(1);
    device.pass(20);
    expect(device.sentOf("DELIVERED")).toHaveLength(1);
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.takeSent();
    device.greet();
    device.sync(chat, 2, 2, { last_seq: 2, recv_seq: 2, read_seq: 2, read_ucount: 2 });
    device.finishSync();
    device.pass(20);
    expect(device.sentOf("READ_RECEIPT")).toEqual([]);
    expect(device.sentOf("DELIVERED")).toMatchObject([{ from: 1, seq: 1 }]);
    answer(device, device.last("DELIVERED").request, true, 2, 2);
    device.pass(20_000);
    expect(device.sentOf("DELIVERED")).toHaveLength(1);
  });

  test("the peer's watermarks make the ticks, and never take one back", () => {
    const device = ScriptedMachine.ready();
    const status = (recv_seq: number, read_seq: number): void =>
      device.hear({ type: "STATUS_UPDATE", conversation_id: chat, user_id: peerId, recv_seq, read_seq });
    device.say("00000000-0000-7000-8000-000000000901");
    const peerId = (device.last("SEND_MESSAGE").to as { user: string }).user;
    device.ack(0, 1);
    expect(device.machine.statusOf(chat, 1, undefined)).toBe("sent");
    status(1, 0);
    expect(device.machine.statusOf(chat, 1, undefined)).toBe("delivered");
    status(0, 1);
    expect(device.machine.statusOf(chat, 1, undefined)).toBe("read");
    status(1, 0);
    expect(device.machine.statusOf(chat, 1, undefined)).toBe("read");
    expect(device.machine.statusOf(chat, 1, "sent")).toBe("sent");
  });

  test("a temporary error is tried again, a final one not on this connection", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0, backoffMinMs: 10, backoffMaxMs: 10 });
    device.push(1);
    device.fail(device.last("DELIVERED").request, "store_unavailable", { temporary: true });
    device.pass(11);
    expect(device.sentOf("DELIVERED")).toHaveLength(2);
    device.fail(device.last("DELIVERED").request, "not_a_member");
    device.pass(1_000);
    expect(device.sentOf("DELIVERED")).toHaveLength(2);
  });
});

const record = {
  conversationId: chat,
  kind: "direct" as const,
  peerId: undefined,
  name: undefined,
  start: 51,
  filled: 60,
  runs: [],
  proven: 50,
  foreign: 60,
  viewed: 0,
  head: 60,
  told: true,
};
