import { describe, expect, test } from "vitest";
import { chat, messageIdOf, peer, rowOf, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";
import type { MessageRow } from "../../protocol/fields.ts";

const id = (n: number): string => messageIdOf(900 + n);
const noWait = { backoffMinMs: 1, backoffMaxMs: 1 };

describe("the outbox", () => {
  test("nothing leaves before it is durable, and then it leaves at once", () => {
    const device = ScriptedMachine.ready();
    device.durableAtOnce = false;
    const before = device.changes.length;
    device.say(id(1));
    expect(device.sentOf("SEND_MESSAGE")).toEqual([]);
    device.machine.durable(device.nowMs, before + 1);
    expect(device.last("SEND_MESSAGE")).toMatchObject({ message_id: id(1), since: 0, to: { user: peer } });
  });

  test("a retry carries the same id and since", () => {
    const device = ScriptedMachine.ready(noWait);
    device.say(id(1));
    const first = device.last("SEND_MESSAGE");
    device.fail(first.request, "store_unavailable", { temporary: true, undecided: true });
    device.pass(5);
    const second = device.last("SEND_MESSAGE");
    expect(second).toMatchObject({ message_id: id(1), since: first.since });
    expect(second.request).not.toBe(first.request);
  });

  test("after a temporary error everything from the failed one on is sent again, in order, carefully at first", () => {
    const device = ScriptedMachine.ready(noWait);
    for (const n of [1, 2, 3, 4]) device.say(id(n));
    const sent = (): string[] => device.sentOf("SEND_MESSAGE").map((frame) => frame.message_id);
    const [, two, three] = device.sentOf("SEND_MESSAGE");
    device.ack(0, 1);
    device.fail(two?.request as string, "overloaded", { temporary: true });
    device.fail(three?.request as string, "out_of_order", { temporary: true });
    device.takeSent();
    device.pass(5);
    expect(sent()).toEqual([id(2)]);
    device.ack(0, 2);
    expect(sent()).toEqual([id(2), id(3), id(4)]);
  });

  test("no more than a window is in flight; each answer lets the next one go", () => {
    const device = ScriptedMachine.ready({ sendWindowPerConversation: 2, outboxEntriesMax: 4 });
    for (const n of [1, 2, 3, 4]) device.say(id(n));
    expect(device.sentOf("SEND_MESSAGE")).toHaveLength(2);
    device.ack(0, 1);
    expect(device.sentOf("SEND_MESSAGE")).toHaveLength(3);
    device.say(id(5));
    expect(() => device.say(id(6))).toThrow("outbox_full");
  });

  test("an undecided message can only be sent on; one that was refused for good can be dropped or sent as a new one", () => {
    const device = ScriptedMachine.ready(noWait);
    device.say(id(1));
    expect(device.machine.discard(0, id(1))).toBe("undecided");
    device.fail(device.last("SEND_MESSAGE").request, "not_a_member");
    expect(device.machine.outbox()).toMatchObject([{ state: "failed", errorCode: "not_a_member" }]);
    expect(device.machine.sendAgain(device.nowMs, id(1), id(2))).toBe(true);
    expect(device.last("SEND_MESSAGE").message_id).toBe(id(2));
    expect(device.machine.discard(0, id(1))).toBe("no_such_message");
  });

  test("refused after an attempt that had no answer, it is unknown: that attempt may wait in a server that stands still", () => {
    const device = ScriptedMachine.ready(noWait);
    device.say(id(1));
    device.fail(device.last("SEND_MESSAGE").request, "store_unavailable", { temporary: true, undecided: true });
    expect(device.machine.discard(0, id(1))).toBe("undecided");
    device.pass(5);
    device.fail(device.last("SEND_MESSAGE").request, "not_a_member");
    expect(device.machine.outbox()).toMatchObject([{ state: "unknown", errorCode: "not_a_member" }]);
    const own = { ...(rowOf(1) as MessageRow), message_id: id(1), sender: { user: device.machine.userId, device: 1 } };
    device.hear({ type: "NEW_MESSAGE", conversation_id: chat, ...own });
    expect(device.machine.outbox()).toEqual([]);
  });

  test("after one that was refused for good the next one does not wait for what that one met before", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 100, backoffMaxMs: 10_000 });
    const refuse = (code: "rate_limited" | "not_a_member"): void =>
      device.fail(device.last("SEND_MESSAGE").request, code, { temporary: code === "rate_limited" });
    device.say(id(1));
    for (let attempt = 0; attempt < 12; attempt++) {
      refuse("rate_limited");
      device.pass(10_000);
    }
    refuse("not_a_member");
    device.say(id(2));
    refuse("rate_limited");
    device.takeSent();
    device.pass(100);
    expect(device.sentOf("SEND_MESSAGE")).toMatchObject([{ message_id: id(2) }]);
  });

  test("stale_since leaves a message unknown, and the next one goes on", () => {
    const device = ScriptedMachine.ready();
    device.say(id(1));
    device.say(id(2));
    device.fail(device.sentOf("SEND_MESSAGE")[0]?.request as string, "stale_since");
    device.ack(1, 1);
    expect(device.machine.outbox()).toMatchObject([{ messageId: id(1), state: "unknown" }]);
    expect(device.events).toContainEqual(expect.objectContaining({ type: "send_failed", state: "unknown" }));
  });

  test("its own row settles a message whose ACK was lost, before that row can pass as proof of its absence", () => {
    const device = ScriptedMachine.ready();
    device.say(id(1));
    const before = device.changes.length;
    const own = { ...(rowOf(1) as MessageRow), message_id: id(1), sender: { user: device.machine.userId, device: 1 } };
    device.hear({ type: "NEW_MESSAGE", conversation_id: chat, ...own });
    expect(device.machine.outbox()).toEqual([]);
    expect(device.changes.slice(before).map((change) => Object.keys(change)[0])).toEqual([
      "outboxRemove",
      "conversation",
    ]);
    expect(device.events).toContainEqual(expect.objectContaining({ type: "sent", messageId: id(1), seq: 1 }));
  });

  test("since rises on a retry over rows that arrived, never over rows that only count as filled", () => {
    const device = ScriptedMachine.ready(noWait);
    device.sync(chat, 1, 0, {});
    device.say(id(1));
    device.push(1);
    device.push(2);
    device.fail(device.last("SEND_MESSAGE").request, "overloaded", { temporary: true });
    device.pass(5);
    expect(device.last("SEND_MESSAGE").since).toBe(2);
    device.push(5);
    device.pass(60);
    const { request } = device.last("RANGE");
    const gone = { from: 3, to: 4, messages: [], unreadable: [], gone: [[3, 4] as [number, number]], has_more: false };
    device.hear({ type: "RANGE_PAGE", request, conversation_id: chat, ...gone });
    expect(device.machine.conversation(chat)?.filled).toBe(5);
    device.fail(device.last("SEND_MESSAGE").request, "overloaded", { temporary: true });
    device.pass(5);
    expect(device.last("SEND_MESSAGE").since).toBe(2);
  });

  test("a message that never left may start from any head that is known now", () => {
    const device = new ScriptedMachine();
    device.say(id(1));
    device.machine.start(0);
    device.greet();
    device.takeSent();
    expect(device.machine.outbox()[0]?.since).toBe(0);
    const restored = ScriptedMachine.ready({}, { conversations: [], outbox: device.machine.outbox() });
    restored.pass(1);
    expect(restored.machine.discard(0, id(1))).toBe("undecided");
  });

  test("a retry waits for the first sync of its connection, but not for ever", () => {
    const outbox = new ScriptedMachine();
    outbox.say(id(1));
    const device = new ScriptedMachine({ syncHoldMs: 1_000 }, { conversations: [], outbox: outbox.machine.outbox() });
    device.machine.start(0);
    device.greet();
    expect(device.sentOf("SEND_MESSAGE")).toEqual([]);
    device.pass(1_001);
    expect(device.sentOf("SEND_MESSAGE")).toHaveLength(1);
  });

  test("a server that waits for a message which was dropped here is left", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 1_000, backoffMaxMs: 1_000 });
    device.say(id(1));
    device.say(id(2));
    const [one] = device.sentOf("SEND_MESSAGE");
    device.fail(one?.request as string, "rate_limited", { temporary: true });
    expect(device.machine.discard(device.nowMs, id(1))).toBe("discarded");
    device.pass(1_001);
    device.fail(device.last("SEND_MESSAGE").request, "out_of_order", { temporary: true });
    expect(device.disconnects).toEqual(["gate"]);
    expect(device.machine.outbox().map((entry) => entry.messageId)).toEqual([id(2)]);
  });

  test("no answer for too long counts as undecided, and is sent again", () => {
    const device = ScriptedMachine.ready({ answerTimeoutMs: 1_000 });
    device.say(id(1));
    device.pass(1_001);
    expect(device.sentOf("SEND_MESSAGE")).toHaveLength(2);
    device.ack(0, 1);
    expect(device.machine.outbox()).toEqual([]);
  });
});
