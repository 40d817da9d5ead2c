import { describe, expect, test } from "vitest";
import { chat, group, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";

describe("the inbox", () => {
  test("a row before its predecessor is held, and both are shown in order", () => {
    const device = ScriptedMachine.ready();
    device.push(1);
    device.push(3);
    device.push(4);
    expect(device.shown()).toEqual([1]);
    device.push(2);
    expect(device.shown()).toEqual([1, 2, 3, 4]);
    device.pass(100);
    expect(device.sentOf("RANGE")).toEqual([]);
  });

  test("a row that stays missing is asked for after a moment", () => {
    const device = ScriptedMachine.ready({ gapDelayMs: 50 });
    device.sync(chat, 1, 1, { last_seq: 1 });
    device.push(4);
    device.pass(49);
    expect(device.sentOf("RANGE")).toEqual([]);
    device.pass(2);
    expect(device.last("RANGE")).toMatchObject({ conversation_id: chat, from: 2, to: 3 });
    device.range(2, 3);
    expect(device.shown()).toEqual([1, 2, 3, 4]);
  });

  test("doubled rows are shown once and counted", () => {
    const device = ScriptedMachine.ready();
    for (const seq of [1, 1, 3, 3, 2, 2]) device.push(seq);
    expect(device.shown()).toEqual([1, 2, 3]);
    expect(device.machine.counters.duplicateRows).toBe(3);
  });

  test("what is held is bounded; what did not fit is asked for", () => {
    const device = ScriptedMachine.ready({ heldRowsMax: 2 });
    device.sync(chat, 1, 1, { last_seq: 1 });
    for (const seq of [3, 4, 5, 6]) device.push(seq);
    device.pass(60);
    device.range(2, 2);
    expect(device.shown()).toEqual([1, 2, 3, 4]);
    device.pass(60);
    expect(device.last("RANGE")).toMatchObject({ from: 5, to: 6 });
    expect(device.machine.counters.overflowedRows).toBe(2);
  });

  test("a conversation of which nothing is known is synced, not fetched from its first row", () => {
    const device = ScriptedMachine.ready();
    device.push(700, group);
    device.pass(60);
    expect(device.sentOf("RANGE")).toEqual([]);
    device.sync(group, 651, 700, { last_seq: 700, joined_seq: 600, recv_seq: 640, read_seq: 690 });
    device.finishSync();
    expect(device.machine.conversation(group)).toMatchObject({ start: 641, filled: 640 });
    expect(device.last("RANGE")).toMatchObject({ from: 641, to: 650 });
  });

  test("a page with a hole counts up to the hole", () => {
    const device = ScriptedMachine.ready();
    device.sync(chat, 1, 1, { last_seq: 1 });
    device.push(5);
    device.pass(60);
    const { request } = device.last("RANGE");
    const page = { from: 2, to: 4, messages: [], unreadable: [[2, 2] as [number, number]], gone: [], has_more: false };
    device.hear({ type: "RANGE_PAGE", request, conversation_id: chat, ...page });
    expect(device.machine.conversation(chat)?.filled).toBe(2);
    expect(device.machine.counters.violations).toBe(1);
    expect(device.shown()).toEqual([1]);
  });

  test("rows of a range that was refused for good are not asked for again on this connection", () => {
    const device = ScriptedMachine.ready();
    device.sync(chat, 1, 1, { last_seq: 1 });
    device.push(5);
    device.pass(60);
    device.fail(device.last("RANGE").request, "not_a_member");
    device.takeSent();
    device.pass(20_000);
    expect(device.sentOf("RANGE")).toEqual([]);
  });

  test("history goes below the start and is kept", () => {
    const device = ScriptedMachine.ready();
    device.sync(chat, 51, 60, { last_seq: 60, recv_seq: 60, read_seq: 60 });
    expect(device.machine.conversation(chat)).toMatchObject({ start: 51, filled: 60 });
    expect(device.machine.loadHistory(device.nowMs, chat, 5)).toBe(true);
    expect(device.machine.loadHistory(device.nowMs, chat, 5)).toBe(false);
    const { request, before_seq } = device.last("HISTORY");
    expect(before_seq).toBe(51);
    const messages = [46, 47, 48, 49, 50].map((seq) => ({ seq, kind: 0 as const }));
    const page = { from: 46, to: 50, messages, unreadable: [], gone: [], has_more: true };
    device.hear({ type: "HISTORY_PAGE", request, conversation_id: chat, ...page });
    expect(device.machine.conversation(chat)?.start).toBe(46);
    expect(device.events).toContainEqual(expect.objectContaining({ type: "history", from: 46, hasMore: true }));
  });

  test("history that is refused, or cut off, is told to whoever waits, and may be asked for again", () => {
    const device = ScriptedMachine.ready();
    device.sync(chat, 51, 60, { last_seq: 60, recv_seq: 60, read_seq: 60 });
    device.machine.loadHistory(device.nowMs, chat, 5);
    device.fail(device.last("HISTORY").request, "overloaded", { temporary: true });
    const failed = { type: "history_failed", conversationId: chat };
    expect(device.events.at(-1)).toEqual({ ...failed, code: "overloaded", message: "overloaded" });
    expect(device.machine.loadHistory(device.nowMs, chat, 5)).toBe(true);
    device.machine.disconnected(device.nowMs, 1006);
    expect(device.events).toContainEqual(expect.objectContaining({ ...failed, code: "not_ready" }));
  });
});
