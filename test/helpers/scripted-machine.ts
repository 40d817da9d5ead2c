import { createSeededRandom } from "../../src/base/random.ts";
import { createMachineConfig } from "../../src/client/machine/config.ts";
import { DeviceMachine } from "../../src/client/machine/machine.ts";
import type { Change, ClientEvent, Effects, MachineConfig, StoredDevice } from "../../src/client/machine/types.ts";
import type { PageRow, Registers } from "../../src/protocol/fields.ts";
import type { ClientFrame, ClientFrameOf, ClientFrameType } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import { directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { kinds } from "../../src/protocol/kinds.ts";

export const me = "00000000-0001-7000-8000-000000000001";
export const peer = "00000000-0002-7000-8000-000000000002";
export const chat = directConversationId(me, peer);
export const group = "00000000-0009-7000-8000-000000000009";

/** A machine of which a test plays server, storage and clock, step by step. Frames wait in `sent` until they are taken. */
export class ScriptedMachine implements Effects {
  readonly machine: DeviceMachine;
  readonly changes: Change[] = [];
  readonly events: ClientEvent[] = [];
  /** Whether the storage is durable at once; otherwise `machine.durable` is the test's to call. */
  durableAtOnce = true;
  connects = 0;
  disconnects: string[] = [];
  nowMs = 0;
  #wakeAt = Infinity;
  #sent: ClientFrame[] = [];

  constructor(config: Partial<MachineConfig> = {}, stored?: StoredDevice) {
    const environment = { effects: this, random: createSeededRandom(7), config: createMachineConfig(config) };
    this.machine = new DeviceMachine(environment, { owner: 0, userId: me, device: 1 }, stored);
  }

  /** Connected, greeted and through its first sync. */
  static ready(config: Partial<MachineConfig> = {}, stored?: StoredDevice): ScriptedMachine {
    const scripted = new ScriptedMachine(config, stored);
    scripted.machine.start(0);
    scripted.greet();
    scripted.finishSync();
    scripted.takeSent();
    return scripted;
  }

  greet(): void {
    this.machine.connected(this.nowMs);
    this.hear({
      type: "WELCOME",
      node: "n",
      connection: "c",
      user_id: me,
      device: 1,
      server_time: 0,
      heartbeat_ms: 30_000,
      limits: {},
    });
  }

  finishSync(): void {
    this.hear({ type: "SYNC_DONE", request: this.last("SYNC").request });
  }

  hear(frame: ServerFrame): void {
    this.machine.frame(this.nowMs, frame);
  }

  /** Lets time pass, with a tick at every moment that was asked for. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    for (let steps = 0; this.#wakeAt <= until; steps++) {
      if (steps > 10_000) throw new Error("the machine asks to be woken again and again");
      this.nowMs = Math.max(this.nowMs, this.#wakeAt);
      this.#wakeAt = Infinity;
      this.machine.tick(this.nowMs);
    }
    this.nowMs = until;
  }

  /** Frames since the last call. */
  takeSent(): ClientFrame[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  sentOf<T extends ClientFrameType>(type: T): ClientFrameOf<T>[] {
    return this.#sent.filter((frame): frame is ClientFrameOf<T> & ClientFrame => frame.type === type);
  }

  last<T extends ClientFrameType>(type: T): ClientFrameOf<T> {
    const frame = this.sentOf(type).at(-1);
    if (frame === undefined) throw new Error(`no ${type} was sent`);
    return frame;
  }

  /** Seqs shown in `conversationId`, in the order in which they were shown. */
  shown(conversationId: Uuid = chat): number[] {
    return this.events.flatMap((event) =>
      event.type === "rows" && event.conversationId === conversationId ? event.rows.map((row) => row.seq) : [],
    );
  }

  say(messageId: Uuid, to: { user: Uuid } | { conversation: Uuid } = { user: peer }): void {
    const outcome = this.machine.send(this.nowMs, { messageId, to, kind: kinds.text, envelope: "eA==", createdAt: 0 });
    if (outcome !== "queued") throw new Error(outcome);
  }

  ack(index: number, seq: number): void {
    const frame = this.sentOf("SEND_MESSAGE")[index];
    if (frame === undefined) throw new Error(`no send ${index}`);
    this.hear({
      type: "ACK",
      request: frame.request,
      message_id: frame.message_id,
      conversation_id: chat,
      seq,
      status: "sent",
      sent_at: 1,
      ucount: seq,
    });
  }

  fail(request: string, code: string, flags: { temporary?: boolean; undecided?: boolean } = {}): void {
    const { temporary = false, undecided } = flags;
    const base = { type: "ERROR" as const, request, code, message: code, temporary };
    this.hear(undecided === undefined ? base : { ...base, undecided });
  }

  push(seq: number, conversationId: Uuid = chat): void {
    this.hear({
      type: "NEW_MESSAGE",
      conversation_id: conversationId,
      ...(rowOf(seq) as Exclude<PageRow, { kind: 0 }>),
    });
  }

  sync(conversationId: Uuid, from: number, to: number, registers: Partial<Registers>): void {
    this.hear({
      type: "SYNC_MESSAGES",
      request: this.sentOf("SYNC").at(-1)?.request ?? "y0",
      conversation_id: conversationId,
      ...pageOf(from, to),
      kind: conversationId === group ? "group" : "direct",
      ...(conversationId === group ? {} : { peer_id: peer }),
      registers: registersOf(registers),
    });
  }

  range(from: number, to: number, conversationId: Uuid = chat): void {
    const { request } = this.last("RANGE");
    this.hear({ type: "RANGE_PAGE", request, conversation_id: conversationId, ...pageOf(from, to) });
  }

  send(_owner: number, frame: ClientFrame): void {
    this.#sent.push(frame);
  }

  persist(_owner: number, change: Change): boolean {
    this.changes.push(change);
    return this.durableAtOnce;
  }

  wake(_owner: number, atMs: number): void {
    this.#wakeAt = atMs;
  }

  emit(_owner: number, event: ClientEvent): void {
    this.events.push(event);
  }

  connect(): void {
    this.connects++;
  }

  disconnect(_owner: number, reason: string): void {
    this.disconnects.push(reason);
  }
}

export function messageIdOf(seq: number): Uuid {
  return `00000000-0000-7000-8000-${String(seq).padStart(12, "0")}`;
}

export function rowOf(seq: number, user: Uuid = peer): PageRow {
  return {
    seq,
    message_id: messageIdOf(seq),
    sender: { user, device: 1 },
    sent_at: seq,
    kind: kinds.text,
    envelope: "eA==",
    ucount: seq,
  };
}

export function pageOf(from: number, to: number) {
  const messages: PageRow[] = [];
  for (let seq = from; seq <= to; seq++) messages.push(rowOf(seq));
  return { from, to, messages, unreadable: [], gone: [], has_more: false };
}

export function registersOf(known: Partial<Registers>): Registers {
  return {
    last_seq: 0,
    last_ucount: 0,
    last_at: 0,
    own_seq: 0,
    recv_seq: 0,
    read_seq: 0,
    read_ucount: 0,
    peer_recv_seq: 0,
    peer_read_seq: 0,
    joined_seq: 1,
    left_seq: 0,
    cleared_seq: 0,
    ...known,
  };
}
