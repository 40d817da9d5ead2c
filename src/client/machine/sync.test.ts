import { describe, expect, test } from "vitest";
import { chat, group, messageIdOf, registersOf, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";
import { limits } from "../../protocol/limits.ts";
import type { ConversationRecord } from "./types.ts";

function recordOf(index: number, known: Partial<ConversationRecord> = {}): ConversationRecord {
  return {
    conversationId: `00000000-0009-7000-8000-${String(index).padStart(12, "0")}`,
    kind: "group",
    peerId: undefined,
    name: undefined,
    start: 1,
    filled: 3,
    runs: [],
    proven: 0,
    foreign: 0,
    viewed: 0,
    head: 3,
    told: true,
    registers: registersOf({ recv_seq: 3, read_seq: 2 }),
    ...known,
  };
}

function connect(conversations: ConversationRecord[]): ScriptedMachine {
  const device = new ScriptedMachine({ backoffMinMs: 10, backoffMaxMs: 10 }, { conversations, outbox: [] });
  device.machine.start(0);
  device.greet();
  return device;
}

describe("sync", () => {
  test("every known conversation is compared, in frames of bounded size, the last one without more", () => {
    const count = limits.syncCursorsPerFrameMax * 2 + 1;
    const device = connect(Array.from({ length: count }, (_, index) => recordOf(index)));
    const frames = device.sentOf("SYNC");
    expect(frames.map((frame) => [frame.cursors.length, frame.more])).toEqual([
      [500, true],
      [500, true],
      [1, undefined],
    ]);
    expect(new Set(frames.map((frame) => frame.request)).size).toBe(1);
    expect(frames[0]?.cursors[0]).toMatchObject({ seq: 3, read: 2, peer_recv: 0, peer_read: 0 });
  });

  test("of more conversations than a server takes cursors for, the newest are compared", () => {
    const count = limits.syncCursorsMax + limits.syncCursorsPerFrameMax + 1;
    const at = (index: number) => ({ registers: registersOf({ recv_seq: 3, read_seq: 2, last_at: index }) });
    const device = connect(Array.from({ length: count }, (_, index) => recordOf(index, at(index))));
    const cursors = device.sentOf("SYNC").flatMap((frame) => frame.cursors);
    expect(cursors).toHaveLength(limits.syncCursorsMax);
    expect(cursors.at(-1)?.conversation_id).toBe(recordOf(count - limits.syncCursorsMax).conversationId);
    expect(device.sentOf("SYNC").at(-1)?.more).toBeUndefined();
  });

  test("a name that an old change brings late does not replace a newer one", () => {
    const device = ScriptedMachine.ready();
    const update = { type: "CONVERSATION_UPDATE", conversation_id: group, kind: "group" } as const;
    device.hear({ ...update, change: "renamed", name: "new", membership: 6 });
    device.hear({ ...update, change: "members", name: "old", membership: 5 });
    expect(device.machine.conversation(group)?.name).toBe("new");
    device.hear({ ...update, change: "settings" });
    device.hear({ ...update, change: "renamed", name: "newest", membership: 7 });
    expect(device.machine.conversation(group)?.name).toBe("newest");
  });

  test("ticks of a conversation that is not known yet ask for another round: this one may have read before them", () => {
    const device = connect([]);
    const status = { type: "STATUS_UPDATE", conversation_id: chat, user_id: chat, recv_seq: 2, read_seq: 0 } as const;
    device.hear(status);
    expect(device.sentOf("SYNC")).toHaveLength(1);
    device.finishSync();
    expect(device.sentOf("SYNC")).toHaveLength(2);
  });

  test("the cursor names the newer run that is held as well", () => {
    const device = connect([
      recordOf(1, {
        runs: [
          [10, 12],
          [20, 25],
        ],
      }),
    ]);
    expect(device.last("SYNC").cursors[0]).toMatchObject({ seq: 3, tail: [20, 25] });
  });

  test("the next page of a round is asked for with its token", () => {
    const device = connect([]);
    const { request } = device.last("SYNC");
    device.hear({ type: "SYNC_DONE", request, next: "p2" });
    expect(device.last("SYNC")).toMatchObject({ request, cursors: [], page: "p2" });
    expect(device.events).not.toContainEqual({ type: "synced" });
    device.hear({ type: "SYNC_DONE", request });
    expect(device.events).toContainEqual({ type: "synced" });
  });

  test("RESYNC during a round is another round after it", () => {
    const device = connect([]);
    device.hear({ type: "RESYNC", reason: "x" });
    device.hear({ type: "RESYNC", reason: "x" });
    expect(device.machine.counters.syncs).toBe(1);
    device.finishSync();
    expect(device.machine.counters.syncs).toBe(2);
    device.finishSync();
    expect(device.machine.counters.syncs).toBe(2);
  });

  test("a round that fails or gets no answer starts over", () => {
    const device = connect([]);
    device.fail(device.last("SYNC").request, "store_unavailable", { temporary: true });
    device.pass(11);
    expect(device.machine.counters.syncs).toBe(2);
    device.pass(15_011);
    expect(device.machine.counters.syncs).toBe(3);
  });

  test("a conversation that is ahead of the server's data is dropped and read anew, the others are not", () => {
    const device = connect([recordOf(1), recordOf(2)]);
    const [ahead, other] = [recordOf(1).conversationId, recordOf(2).conversationId];
    device.push(4, ahead);
    device.machine.send(device.nowMs, {
      messageId: messageIdOf(901),
      to: { conversation: ahead },
      kind: 1,
      envelope: "eA==",
      createdAt: 0,
    });
    const { request } = device.last("SYNC");
    const error = { type: "ERROR", code: "cursor_ahead", message: "ahead", temporary: false } as const;
    device.hear({ ...error, request, conversation_id: ahead });
    expect(device.events).toContainEqual({ type: "dropped", conversationId: ahead });
    expect(device.changes.findLast((change) => change.conversation?.conversationId === ahead)).toMatchObject({
      rowsCleared: true,
      conversation: { filled: 0, head: 0, told: false, registers: { recv_seq: 0, read_seq: 0 } },
    });
    // At once, not after the backoff: it cannot be refused for the same reason.
    expect(device.last("SYNC").cursors.map((cursor) => cursor.conversation_id)).toEqual([other]);
    expect(device.machine.outbox(ahead)).toHaveLength(1);
    device.sync(ahead, 1, 2, { last_seq: 2, recv_seq: 1, read_seq: 1 });
    device.finishSync();
    expect(device.machine.conversation(ahead)).toMatchObject({ start: 1, filled: 2, head: 2, filling: false });
  });

  test("what the storage still had to confirm of a dropped copy does not count for the new one", () => {
    const device = connect([]);
    device.durableAtOnce = false;
    device.sync(chat, 1, 9, { last_seq: 9 });
    const { request } = device.last("SYNC");
    const error = { type: "ERROR", code: "cursor_ahead", message: "ahead", temporary: false } as const;
    device.hear({ ...error, request, conversation_id: chat });
    const old = device.changes.findIndex((change) => change.rowsCleared === true);
    device.sync(chat, 1, 2, { last_seq: 2 });
    device.finishSync();
    device.machine.durable(device.nowMs, old);
    device.pass(1_000);
    expect(device.sentOf("DELIVERED")).toEqual([]);
    device.machine.durable(device.nowMs, device.changes.length);
    device.pass(1_000);
    expect(device.last("DELIVERED")).toMatchObject({ from: 1, seq: 2 });
  });

  test("cursor_ahead of what was dropped already waits like any other failure: it must not become a loop", () => {
    const device = connect([recordOf(1)]);
    const error = { type: "ERROR", code: "cursor_ahead", message: "ahead", temporary: false } as const;
    const refuse = (): void =>
      device.hear({ ...error, request: device.last("SYNC").request, conversation_id: recordOf(1).conversationId });
    refuse();
    refuse();
    expect(device.sentOf("SYNC")).toHaveLength(2);
    device.pass(11);
    expect(device.sentOf("SYNC")).toHaveLength(3);
  });

  test("the name of a group comes with it and is kept", () => {
    const device = connect([recordOf(1)]);
    const { conversationId } = recordOf(1);
    const { request } = device.last("SYNC");
    const page = { from: 4, to: 3, messages: [], unreadable: [], gone: [], has_more: false };
    const registers = registersOf({ recv_seq: 3, read_seq: 2 });
    const frame = { type: "SYNC_MESSAGES", request, conversation_id: conversationId, kind: "group" } as const;
    device.hear({ ...frame, ...page, registers, name: "Hiking" });
    device.hear({ ...frame, ...page, registers });
    expect(device.machine.conversation(conversationId)?.name).toBe("Hiking");
    expect(device.changes.at(-1)?.conversation?.name).toBe("Hiking");
  });

  test("a far-behind device shows the newest first, then fills from above, then receipts go out", () => {
    const device = new ScriptedMachine({ receiptDelayMs: 0, rangeRowsMax: 100 });
    device.machine.start(0);
    device.greet();
    device.sync(chat, 451, 500, { last_seq: 500, recv_seq: 250, read_seq: 300 });
    expect(device.shown()[0]).toBe(451);
    expect(device.sentOf("RANGE")).toEqual([]);
    device.finishSync();
    expect(device.last("RANGE")).toMatchObject({ from: 351, to: 450 });
    device.range(351, 450);
    expect(device.sentOf("DELIVERED")).toEqual([]);
    expect(device.last("RANGE")).toMatchObject({ from: 251, to: 350 });
    device.range(251, 350);
    expect(device.machine.conversation(chat)).toMatchObject({ start: 251, filled: 500, filling: false });
    expect(device.last("DELIVERED")).toMatchObject({ from: 251, seq: 500 });
  });

  test("a reconnect in the middle of that goes on where it was", () => {
    const device = new ScriptedMachine({ rangeRowsMax: 100 });
    device.machine.start(0);
    device.greet();
    device.sync(chat, 451, 500, { last_seq: 500, recv_seq: 250, read_seq: 300 });
    device.finishSync();
    device.range(351, 450);
    const conversations = device.changes.flatMap((change) => change.conversation ?? []).slice(-1);
    const restored = new ScriptedMachine({ rangeRowsMax: 100 }, { conversations, outbox: [] });
    restored.machine.start(0);
    restored.greet();
    expect(restored.last("SYNC").cursors[0]).toMatchObject({ seq: 250, tail: [351, 500] });
    restored.finishSync();
    expect(restored.last("RANGE")).toMatchObject({ from: 251, to: 350 });
  });

  test("a member who is put out while connected knows it at once, and says so in the next cursor", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 1, backoffMaxMs: 1 });
    const joined = registersOf({ last_seq: 1 });
    device.hear({
      type: "CONVERSATION_UPDATE",
      conversation_id: group,
      kind: "group",
      change: "created",
      registers: joined,
    });
    device.push(1, group);
    const left = registersOf({ last_seq: 2, left_seq: 3 });
    device.hear({
      type: "CONVERSATION_UPDATE",
      conversation_id: group,
      kind: "group",
      change: "left",
      registers: left,
    });
    device.push(2, group);
    expect(device.machine.conversation(group)?.registers.left_seq).toBe(3);
    device.takeSent();
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    expect(device.last("SYNC").cursors).toMatchObject([{ conversation_id: group, seq: 2, left: 3 }]);
  });

  test("registers of a conversation that the running sync may have passed already ask for another round", () => {
    const device = connect([]);
    const registers = registersOf({ last_seq: 2, left_seq: 3 });
    device.hear({ type: "CONVERSATION_UPDATE", conversation_id: group, kind: "group", change: "left", registers });
    expect(device.sentOf("SYNC")).toHaveLength(1);
    device.finishSync();
    expect(device.sentOf("SYNC")).toHaveLength(2);
  });

  test("a group joined live starts at the join", () => {
    const device = ScriptedMachine.ready({ receiptDelayMs: 0 });
    const registers = registersOf({ joined_seq: 37, recv_seq: 36, read_seq: 36, last_seq: 37 });
    device.hear({ type: "CONVERSATION_UPDATE", conversation_id: group, kind: "group", change: "created", registers });
    device.push(37, group);
    expect(device.shown(group)).toEqual([37]);
    expect(device.last("DELIVERED")).toMatchObject({ from: 37, seq: 37 });
  });
});
