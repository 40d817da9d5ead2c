import { present } from "../../src/base/assert.ts";
import type { Random } from "../../src/base/random.ts";
import type { ClientFrame, SendMessageFrame, SyncCursor, SyncFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import { directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { isVoid } from "../../src/protocol/fields.ts";
import { ModelLog } from "./model-log.ts";

/**
 * A server in memory that keeps every promise of the protocol and none beyond it: answers of one connection come in
 * order, pushes are dropped, doubled, delayed and overtake each other, sends fail with and without effect. It notes what
 * a client does against the rules in `violations`.
 */
export interface ModelTime {
  readonly nowMs: number;
  schedule(delayMs: number, run: () => void): unknown;
}

export interface ModelFaults {
  readonly pushDropped: number;
  readonly pushDoubled: number;
  /** Sends that fail, with the message in the log and without. */
  readonly sendUndecidedDone: number;
  readonly sendUndecidedLost: number;
  readonly sendTemporary: number;
  readonly delayMsMax: number;
}

export const calm: ModelFaults = {
  pushDropped: 0,
  pushDoubled: 0,
  sendUndecidedDone: 0,
  sendUndecidedLost: 0,
  sendTemporary: 0,
  delayMsMax: 1,
};

/** Small enough that pages, tails and rounds of several parts occur in a short run. */
export const modelPaging = { pageRows: 5, behindRows: 12, initialRows: 4, conversationsPerRound: 2 };

export interface ModelConnection {
  readonly user: Uuid;
  readonly device: number;
  readonly deliver: (frame: ServerFrame) => void;
  readonly gates: Map<Uuid, Uuid>;
  open: boolean;
  greeted: boolean;
  answerAt: number;
  readonly cursors: Map<Uuid, SyncCursor>;
  syncRequest: string;
}

export class ModelServer {
  readonly logs = new Map<Uuid, ModelLog>();
  readonly violations: string[] = [];
  readonly blocked = new Set<string>();
  faults: ModelFaults = calm;
  /** Whether the device has this row durably; asked before a receipt for it is believed. */
  holds: (user: Uuid, device: number, conversationId: Uuid, seq: number) => boolean = () => true;
  /** Whether the device has this outgoing message durably; asked when it arrives. */
  remembers: (user: Uuid, device: number, messageId: Uuid) => boolean = () => true;
  readonly #time: ModelTime;
  readonly #random: Random;
  readonly #connections = new Set<ModelConnection>();

  constructor(time: ModelTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  connect(user: Uuid, device: number, deliver: (frame: ServerFrame) => void): ModelConnection {
    const connection: ModelConnection = {
      user,
      device,
      deliver,
      gates: new Map(),
      open: true,
      greeted: false,
      answerAt: 0,
      cursors: new Map(),
      syncRequest: "",
    };
    this.#connections.add(connection);
    return connection;
  }

  close(connection: ModelConnection): void {
    connection.open = false;
    this.#connections.delete(connection);
  }

  group(conversationId: Uuid, users: readonly Uuid[]): ModelLog {
    const log = new ModelLog(conversationId, "group");
    this.logs.set(conversationId, log);
    for (const user of users) log.join(user);
    return log;
  }

  direct(one: Uuid, other: Uuid): ModelLog {
    const id = directConversationId(one, other);
    const known = this.logs.get(id);
    if (known !== undefined) return known;
    const log = new ModelLog(id, "direct");
    log.join(one);
    if (other !== one) log.join(other);
    this.logs.set(id, log);
    return log;
  }

  resyncAll(): void {
    for (const connection of this.#connections) this.#answer(connection, { type: "RESYNC", reason: "test" });
  }

  take(connection: ModelConnection, frame: ClientFrame): void {
    if (!connection.open) return;
    if (!connection.greeted && frame.type !== "HELLO") this.violations.push(`${frame.type} before HELLO`);
    switch (frame.type) {
      case "HELLO":
        connection.greeted = true;
        this.#answer(connection, welcome(connection.user, connection.device, this.#time.nowMs));
        break;
      case "HEARTBEAT":
        this.#answer(connection, { type: "HEARTBEAT_ACK", server_time: Math.floor(this.#time.nowMs) });
        break;
      case "SEND_MESSAGE":
        this.#send(connection, frame);
        break;
      case "DELIVERED":
      case "READ_RECEIPT":
        this.#receipt(connection, frame);
        break;
      case "SYNC":
        this.#sync(connection, frame);
        break;
      case "RANGE":
      case "HISTORY":
        this.#read(connection, frame);
        break;
      default:
    }
  }

  #send(connection: ModelConnection, frame: SendMessageFrame): void {
    const { user, device } = connection;
    if (!this.remembers(user, device, frame.message_id)) this.violations.push("sent before it was durable");
    const log = "user" in frame.to ? this.direct(user, frame.to.user) : this.logs.get(frame.to.conversation);
    if (log === undefined) return this.#refuse(connection, frame.request, "no_such_conversation", false, false);
    const gate = connection.gates.get(log.conversationId);
    if (gate !== undefined && gate !== frame.message_id) {
      return this.#refuse(connection, frame.request, "out_of_order", true, false);
    }
    connection.gates.delete(log.conversationId);
    if (frame.since > log.head) return this.#refuse(connection, frame.request, "cursor_ahead", false, false);
    const known = log.rows.find((row) => row.message_id === frame.message_id);
    if (known !== undefined && known.seq <= frame.since)
      this.violations.push(`since ${frame.since} is past the message`);
    if (known === undefined && !log.isMember(user)) {
      return this.#refuse(connection, frame.request, "not_a_member", false, false);
    }
    const chance = this.#random.float();
    const { sendUndecidedDone, sendUndecidedLost, sendTemporary } = this.faults;
    const fails = chance < sendUndecidedDone + sendUndecidedLost + sendTemporary;
    if (fails) connection.gates.set(log.conversationId, frame.message_id);
    if (fails && chance >= sendUndecidedDone) {
      const undecided = chance < sendUndecidedDone + sendUndecidedLost;
      return this.#refuse(connection, frame.request, "store_unavailable", true, undecided);
    }
    const row = known ?? this.#append(log, connection, frame, device);
    if (fails) return this.#refuse(connection, frame.request, "store_unavailable", true, true);
    this.#answer(connection, {
      type: "ACK",
      request: frame.request,
      message_id: frame.message_id,
      conversation_id: log.conversationId,
      seq: row.seq,
      status: "sent",
      sent_at: row.sent_at,
      ucount: row.ucount,
      ...(row.hidden ? { max_status: "sent" as const } : {}),
    });
  }

  #append(log: ModelLog, connection: ModelConnection, frame: SendMessageFrame, device: number) {
    const { user } = connection;
    const blocked = "user" in frame.to && this.blocked.has(`${frame.to.user}:${user}`);
    const row = log.append({
      message_id: frame.message_id,
      sender: { user, device },
      sent_at: Math.floor(this.#time.nowMs),
      kind: frame.kind,
      envelope: frame.envelope,
      hidden: blocked,
    });
    for (const other of this.#connections) {
      if (other === connection || !log.canRead(other.user, row.seq)) continue;
      const shown = log.shown(other.user, row.seq);
      if (isVoid(shown)) continue;
      this.#push(other, { type: "NEW_MESSAGE", conversation_id: log.conversationId, ...shown });
    }
    return row;
  }

  #receipt(connection: ModelConnection, frame: Extract<ClientFrame, { type: "DELIVERED" | "READ_RECEIPT" }>): void {
    const log = this.logs.get(frame.conversation_id);
    const { user, device } = connection;
    if (log === undefined || !log.members.has(user)) {
      return this.#refuse(connection, frame.request, "no_such_conversation", false, false);
    }
    for (let seq = frame.from; frame.type === "DELIVERED" && seq <= Math.min(frame.seq, log.head); seq++) {
      if (!log.canRead(user, seq) || seq <= log.goneTo || isVoid(log.shown(user, seq))) continue;
      if (!this.holds(user, device, log.conversationId, seq)) this.violations.push(`DELIVERED for ${seq}, not durable`);
    }
    const accepted = log.receive(user, frame.type === "DELIVERED" ? "recv" : "read", frame.from, frame.seq);
    const registers = log.registers(user);
    const { request } = frame;
    const conversation_id = log.conversationId;
    this.#answer(connection, { type: "RECEIPT_ACK", request, conversation_id, accepted, registers });
    if (!accepted) return;
    const { recv_seq, read_seq, read_ucount } = registers;
    for (const other of this.#connections) {
      if (other === connection || !log.members.has(other.user)) continue;
      const own = other.user === user ? { read_ucount } : {};
      if (log.kind === "group" && other.user !== user) continue;
      this.#push(other, { type: "STATUS_UPDATE", conversation_id, user_id: user, recv_seq, read_seq, ...own });
    }
  }

  #sync(connection: ModelConnection, frame: SyncFrame): void {
    if (frame.request !== connection.syncRequest) connection.cursors.clear();
    connection.syncRequest = frame.request;
    for (const cursor of frame.cursors) connection.cursors.set(cursor.conversation_id, cursor);
    if (frame.more === true) return;
    const after = Number(frame.page ?? 0);
    const mine = [...this.logs.values()].filter((log) => log.members.has(connection.user));
    for (const log of mine.slice(after, after + modelPaging.conversationsPerRound))
      this.#syncOne(connection, frame, log);
    const end = after + modelPaging.conversationsPerRound;
    const next = end < mine.length ? { next: String(end) } : {};
    this.#answer(connection, { type: "SYNC_DONE", request: frame.request, ...next });
  }

  #syncOne(connection: ModelConnection, frame: SyncFrame, log: ModelLog): void {
    const cursor = connection.cursors.get(log.conversationId);
    const { user } = connection;
    const registers = log.registers(user);
    const end = log.endFor(user);
    const known = Math.max(cursor?.seq ?? 0, cursor?.tail?.[1] ?? 0);
    const same =
      cursor !== undefined &&
      known >= end &&
      cursor.read === registers.read_seq &&
      cursor.peer_recv === registers.peer_recv_seq &&
      cursor.peer_read === registers.peer_read_seq;
    if (same) return;
    const peers = [...log.members.keys()].filter((other) => other !== user);
    const peer = log.kind === "direct" ? { peer_id: peers[0] ?? user } : {};
    const isFar = cursor === undefined || end - known > modelPaging.behindRows;
    let from = isFar ? Math.max(known, end - modelPaging.initialRows) + 1 : known + 1;
    do {
      const to = isFar ? end : Math.min(end, from + modelPaging.pageRows - 1);
      const page = log.page(user, from, to, modelPaging.behindRows);
      this.#answer(connection, {
        type: "SYNC_MESSAGES",
        request: frame.request,
        conversation_id: log.conversationId,
        ...page,
        has_more: to < end,
        kind: log.kind,
        ...peer,
        registers,
      });
      from = to + 1;
    } while (from <= end);
  }

  #read(connection: ModelConnection, frame: Extract<ClientFrame, { type: "RANGE" | "HISTORY" }>): void {
    const log = this.logs.get(frame.conversation_id);
    const { request } = frame;
    if (log === undefined || !log.members.has(connection.user)) {
      return this.#refuse(connection, request, "no_such_conversation", false, false);
    }
    const conversation_id = log.conversationId;
    if (frame.type === "RANGE") {
      const page = log.page(connection.user, frame.from, frame.to, modelPaging.pageRows);
      return this.#answer(connection, { type: "RANGE_PAGE", request, conversation_id, ...page });
    }
    const to = present(frame.before_seq, "before_seq") - 1;
    const from = Math.max(1, to - Math.min(frame.limit ?? 1, modelPaging.pageRows) + 1);
    const page = log.page(connection.user, from, to, modelPaging.pageRows);
    this.#answer(connection, { type: "HISTORY_PAGE", request, conversation_id, ...page, has_more: from > 1 });
  }

  #refuse(connection: ModelConnection, request: string, code: string, temporary: boolean, undecided: boolean): void {
    const message = `refused: ${code}`;
    this.#answer(connection, { type: "ERROR", request, code, message, temporary, ...(undecided ? { undecided } : {}) });
  }

  /** Answers of one connection keep their order. */
  #answer(connection: ModelConnection, frame: ServerFrame): void {
    const at = Math.max(connection.answerAt, this.#time.nowMs + this.#delay());
    connection.answerAt = at;
    this.#later(connection, at - this.#time.nowMs, frame);
  }

  #push(connection: ModelConnection, frame: ServerFrame): void {
    if (!connection.greeted) return;
    if (this.#random.float() >= this.faults.pushDropped) this.#later(connection, this.#delay(), frame);
    if (this.#random.float() < this.faults.pushDoubled) this.#later(connection, this.#delay(), frame);
  }

  #delay(): number {
    return this.#random.float() * this.faults.delayMsMax;
  }

  #later(connection: ModelConnection, delayMs: number, frame: ServerFrame): void {
    this.#time.schedule(delayMs, () => {
      if (connection.open) connection.deliver(structuredClone(frame));
    });
  }
}

function welcome(user: Uuid, device: number, nowMs: number): ServerFrame {
  return {
    type: "WELCOME",
    node: "model",
    connection: "1",
    user_id: user,
    device,
    server_time: Math.floor(nowMs),
    heartbeat_ms: 30_000,
    limits: {},
  };
}
