import { limits } from "../../protocol/limits.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { directMessageStatus, unreadByRegisters, type MessageStatus } from "../../protocol/receipt-math.ts";
import { connectionClosed, connectionOpened, driveConnection, startConnection } from "./connection.ts";
import { stopConnection } from "./connection-end.ts";
import { nextHole } from "./gaps.ts";
import { closeConversation, openConversation } from "./group-receipts.ts";
import { loadHistory } from "./history.ts";
import { acceptFrame } from "./incoming.ts";
import { discard, enqueue, restoreOutbox, sendAgain } from "./outbox.ts";
import { acceptDurable, persistConversation } from "./persist.ts";
import { DeviceState, restoreConversation, type ConversationState } from "./state.ts";
import { driveSync } from "./sync.ts";
import type {
  ConnectionState,
  ConversationView,
  DiscardOutcome,
  Machine,
  MachineCounters,
  MachineEnvironment,
  MachineIdentity,
  MessageToSend,
  OutboxEntry,
  Owner,
  SendOutcome,
  StoredDevice,
} from "./types.ts";
import { scheduleWake, work, workDue, workWaiters } from "./work.ts";

/**
 * The rules of one device: what it sends, holds, acknowledges and asks for, whatever is lost, doubled, delayed or cut.
 *
 * Actors: the host (calls these inputs, carries out Effects), the server (through the host's connection), the storage
 * (through Effects.persist). All state is in DeviceState and is a function of the inputs: the same inputs give the same
 * outputs, and a machine restored from what was persisted goes on where its predecessor was killed.
 *
 * The trade: rows are not kept here. They go to the storage and to the host as they arrive; the machine only knows which
 * seqs it has. So a device costs about a kilobyte and a row a microsecond, and who shows messages reads the storage.
 */
export class DeviceMachine implements Machine {
  readonly #state: DeviceState;

  constructor(environment: MachineEnvironment, identity: MachineIdentity, stored?: StoredDevice) {
    this.#state = new DeviceState(environment, identity);
    if (stored === undefined) return;
    for (const record of stored.conversations) restoreConversation(this.#state, record);
    restoreOutbox(this.#state, stored.outbox);
  }

  get owner(): Owner {
    return this.#state.owner;
  }

  get userId(): Uuid {
    return this.#state.userId;
  }

  get device(): number {
    return this.#state.device;
  }

  get connectionState(): ConnectionState {
    return this.#state.connectionState;
  }

  get counters(): Readonly<MachineCounters> {
    return this.#state.counters;
  }

  start(nowMs: number): void {
    startConnection(this.#state);
    this.#finish(nowMs);
  }

  stop(nowMs: number): void {
    stopConnection(this.#state);
    this.#finish(nowMs);
  }

  connected(nowMs: number): void {
    this.#state.heardAt = nowMs;
    connectionOpened(this.#state, nowMs);
    this.#finish(nowMs);
  }

  disconnected(nowMs: number, code: number): void {
    connectionClosed(this.#state, nowMs, code);
    this.#finish(nowMs);
  }

  frame(nowMs: number, frame: ServerFrame): void {
    const { connectionState } = this.#state;
    if (connectionState !== "ready" && connectionState !== "greeting") return;
    this.#state.heardAt = nowMs;
    acceptFrame(this.#state, nowMs, frame);
    this.#finish(nowMs);
  }

  tick(nowMs: number): void {
    this.#state.wakeAt = Infinity;
    driveConnection(this.#state, nowMs);
    driveSync(this.#state, nowMs);
    workDue(this.#state, nowMs);
    this.#finish(nowMs);
  }

  durable(nowMs: number, changes: number): void {
    for (const conversation of acceptDurable(this.#state, changes)) work(this.#state, conversation, nowMs);
    this.#finish(nowMs);
  }

  send(nowMs: number, message: MessageToSend): SendOutcome {
    const outcome = enqueue(this.#state, message);
    if (outcome === "queued") this.#touch(this.#state.outbox?.get(message.messageId)?.entry.conversationId, nowMs);
    return outcome;
  }

  discard(nowMs: number, messageId: Uuid): DiscardOutcome {
    const conversationId = this.#state.outbox?.get(messageId)?.entry.conversationId;
    const outcome = discard(this.#state, messageId);
    this.#touch(conversationId, nowMs);
    return outcome;
  }

  sendAgain(nowMs: number, messageId: Uuid, newMessageId: Uuid): boolean {
    const again = sendAgain(this.#state, messageId, newMessageId);
    this.#touch(this.#state.outbox?.get(newMessageId)?.entry.conversationId, nowMs);
    return again;
  }

  markRead(nowMs: number, conversationId: Uuid, seq: number): void {
    const conversation = this.#state.conversations.get(conversationId);
    if (conversation === undefined) return;
    const viewed = Math.min(seq, conversation.filled);
    if (viewed <= conversation.viewed) return;
    conversation.viewed = viewed;
    if (conversation.foreign > conversation.registers.read_seq) conversation.readOwed = viewed;
    persistConversation(this.#state, conversation);
    this.#touch(conversationId, nowMs);
  }

  openConversation(nowMs: number, conversationId: Uuid): void {
    openConversation(this.#state, conversationId);
    this.#finish(nowMs);
  }

  closeConversation(nowMs: number, conversationId: Uuid): void {
    closeConversation(this.#state, conversationId);
    this.#finish(nowMs);
  }

  loadHistory(nowMs: number, conversationId: Uuid, limit: number): boolean {
    const conversation = this.#state.conversations.get(conversationId);
    const asked = conversation !== undefined && loadHistory(this.#state, conversation, limit);
    this.#finish(nowMs);
    return asked;
  }

  typing(nowMs: number, conversationId: Uuid): void {
    const { environment, owner, connectionState } = this.#state;
    if (connectionState === "ready")
      environment.effects.send(owner, { type: "TYPING", conversation_id: conversationId });
    this.#finish(nowMs);
  }

  watch(nowMs: number, userIds: readonly Uuid[]): void {
    const { environment, owner, connectionState, watched } = this.#state;
    const wanted = [...new Set(userIds)].slice(0, limits.watchedUsersMax);
    this.#state.watched = wanted;
    if (connectionState === "ready") {
      const gone = watched.filter((userId) => !wanted.includes(userId));
      const added = wanted.filter((userId) => !watched.includes(userId));
      if (gone.length > 0) environment.effects.send(owner, { type: "UNWATCH", user_ids: gone });
      if (added.length > 0) environment.effects.send(owner, { type: "WATCH", user_ids: added });
    }
    this.#finish(nowMs);
  }

  conversationIds(): Iterable<Uuid> {
    return this.#state.conversations.keys();
  }

  conversation(conversationId: Uuid): ConversationView | undefined {
    const conversation = this.#state.conversations.get(conversationId);
    return conversation === undefined ? undefined : toView(conversation);
  }

  outbox(conversationId?: Uuid): readonly OutboxEntry[] {
    const entries: OutboxEntry[] = [];
    for (const { entry } of this.#state.outbox?.values() ?? []) {
      if (conversationId === undefined || entry.conversationId === conversationId) entries.push(entry);
    }
    return entries;
  }

  statusOf(conversationId: Uuid, seq: number, maxStatus: "sent" | undefined): MessageStatus {
    const conversation = this.#state.conversations.get(conversationId);
    if (conversation?.kind !== "direct") return "sent";
    return directMessageStatus(seq, conversation.registers, maxStatus);
  }

  #touch(conversationId: Uuid | undefined, nowMs: number): void {
    const conversation = conversationId === undefined ? undefined : this.#state.conversations.get(conversationId);
    if (conversation !== undefined) work(this.#state, conversation, nowMs);
    this.#finish(nowMs);
  }

  #finish(nowMs: number): void {
    if (this.#state.windowWaiters !== undefined || this.#state.rangeWaiters !== undefined) {
      workWaiters(this.#state, nowMs);
    }
    driveSync(this.#state, nowMs);
    scheduleWake(this.#state);
  }
}

function toView(conversation: ConversationState): ConversationView {
  const { conversationId, kind, peerId, name, head, start, filled, viewed, registers } = conversation;
  return {
    conversationId,
    kind,
    peerId,
    name,
    head,
    start,
    filled,
    filling: nextHole(conversation, 1) !== undefined,
    viewed,
    registers,
    unread: unreadByRegisters(registers),
  };
}
