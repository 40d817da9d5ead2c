import { systemClock, type Clock, type Timer } from "../../base/clock.ts";
import { createSystemRandom, type Random } from "../../base/random.ts";
import type { PageRow } from "../../protocol/fields.ts";
import { createUuidV7, directConversationId, type Uuid } from "../../protocol/ids.ts";
import { kinds } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import {
  countUnreadRows,
  type MemberWatermarks,
  type MessageStatus,
  type UnreadCount,
} from "../../protocol/receipt-math.ts";
import { sealPlain, sizeOfEnvelope, type MessageBody } from "../envelope.ts";
import { createMachineConfig } from "../machine/config.ts";
import type { ConversationView, DiscardOutcome, MachineConfig, OutboxEntry } from "../machine/types.ts";
import type { ClientStorage } from "../storage/types.ts";
import { logOut, type Session } from "./account-api.ts";
import { DeliveryError, DeliveryWaiters, type LoggedMessage } from "./delivery-waiters.ts";
import { DeviceHost, type HostEvent } from "./device-host.ts";
import { DirectoryApi } from "./directory-api.ts";
import { EventQueue } from "./event-queue.ts";
import { GroupWatermarks } from "./group-watermarks.ts";
import type { HttpOptions } from "./http.ts";
import { MediaTransfers } from "./media-transfers.ts";
import { SessionKeeper, type SessionRenewal } from "./session-keeper.ts";
import { openWebSocket, type SocketFactory } from "./socket.ts";

export interface ClientOptions {
  /** http:// or https:// of the server, without a path. */
  readonly url: string;
  readonly session: Session;
  /** Keeps a new pair of tokens; awaited before they are used. */
  readonly onSession?: (session: Session) => void | Promise<void>;
  /** Instead of exchanging the refresh token here: for tokens that several processes share. `onSession` is not called then. */
  readonly renewSession?: SessionRenewal;
  /** Of this device alone, fresh from opening; the client closes it. */
  readonly storage: ClientStorage;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly openSocket?: SocketFactory;
  readonly config?: Partial<MachineConfig>;
}

export type Recipient = { readonly user: Uuid } | { readonly conversation: Uuid };

export interface Draft {
  readonly to: Recipient;
  readonly body: MessageBody;
  /** Default: text. */
  readonly kind?: number;
  readonly mediaId?: Uuid;
}

/** A message that is in the outbox, durably as soon as the storage says so: it survives a crash from then on. */
export interface OutgoingMessage {
  readonly messageId: Uuid;
  readonly conversationId: Uuid;
  /** Resolves when at least that far; rejects with DeliveryError. Waiting longer than `timeoutMs` gives up waiting, not the message. */
  reached(status: MessageStatus, timeoutMs: number): Promise<LoggedMessage>;
}

const eventsMax = 65_536;
const groupPollMs = 500;
const drainPollMs = 10;

/**
 * One user on one device: the machine on a real socket, with a real clock and storage. Made by createClient, started by
 * `connect`, ended by `close`; in between it reconnects by itself and says so in its events.
 */
export class Client {
  readonly userId: Uuid;
  readonly device: number;
  readonly directory: DirectoryApi;
  readonly media: MediaTransfers;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #session: SessionKeeper;
  readonly #host: DeviceHost;
  readonly #groups = new GroupWatermarks();
  readonly #waiters: DeliveryWaiters;
  readonly #queues = new Set<EventQueue<HostEvent>>();
  readonly #listeners = new Set<(event: HostEvent) => void>();
  /** A client that waits for its server has no socket: this keeps the process alive until `close`. */
  readonly #alive = setInterval(() => undefined, 0x7fff_ffff);
  #poll: Timer | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(options: ClientOptions) {
    const { session, storage } = options;
    this.userId = session.userId;
    this.device = session.device;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? createSystemRandom();
    const { onSession = () => undefined, renewSession } = options;
    this.#session = new SessionKeeper(this.#http(), this.#clock, session, onSession, renewSession);
    this.directory = new DirectoryApi((request) => this.#session.request(request));
    this.media = new MediaTransfers((request) => this.#session.request(request), {
      clock: this.#clock,
      random: this.#random,
    });
    this.#waiters = new DeliveryWaiters(this.#clock, ({ conversationId, seq, maxStatus }) =>
      this.statusOf(conversationId, seq, maxStatus),
    );
    this.#host = new DeviceHost({
      url: options.url,
      identity: { owner: 0, userId: session.userId, device: session.device },
      config: createMachineConfig(options.config),
      storage,
      session: this.#session,
      clock: this.#clock,
      random: this.#random,
      openSocket: options.openSocket ?? openWebSocket,
      onEvent: (event) => this.#onEvent(event),
    });
  }

  /** Begins to connect and keeps at it. Also after the session was replaced by another connection of this device. */
  connect(): void {
    this.#host.machine.start(this.#now());
  }

  /** Resolves when every conversation was compared with the server once; rejects with DeliveryError `timeout`. */
  synced(timeoutMs: number): Promise<void> {
    return this.#until((event) => event.type === "synced", timeoutMs, "not synced");
  }

  /** Throws DeliveryError when the message cannot be taken: outbox_full, too_large. */
  send(draft: Draft): OutgoingMessage {
    const messageId = createUuidV7(this.#clock.nowMs(), this.#random);
    const envelope = sealPlain(draft.body);
    if (sizeOfEnvelope(envelope) > limits.envelopeBytesMax) {
      throw new DeliveryError("too_large", `a message holds at most ${limits.envelopeBytesMax} bytes`);
    }
    const { to, mediaId } = draft;
    const base = { messageId, to, kind: draft.kind ?? kinds.text, envelope, createdAt: this.#clock.nowMs() };
    const message = mediaId === undefined ? base : { ...base, mediaId };
    const outcome = this.#host.machine.send(this.#now(), message);
    if (outcome !== "queued") throw new DeliveryError(outcome, "the outbox takes no more until the server answers");
    return this.#outgoing(messageId, this.conversationIdOf(to));
  }

  /** Sends an unknown or failed message again, as a new one at the end. Undefined: there is no such message. */
  sendAgain(messageId: Uuid): OutgoingMessage | undefined {
    const entry = this.outbox().find((candidate) => candidate.messageId === messageId);
    const newMessageId = createUuidV7(this.#clock.nowMs(), this.#random);
    if (entry === undefined || !this.#host.machine.sendAgain(this.#now(), messageId, newMessageId)) return undefined;
    return this.#outgoing(newMessageId, entry.conversationId);
  }

  discard(messageId: Uuid): DiscardOutcome {
    return this.#host.machine.discard(this.#now(), messageId);
  }

  conversationIdOf(to: Recipient): Uuid {
    return "user" in to ? directConversationId(this.userId, to.user) : to.conversation;
  }

  /** Most recent first. */
  conversations(): readonly ConversationView[] {
    const views: ConversationView[] = [];
    for (const id of this.#host.machine.conversationIds()) {
      const view = this.conversation(id);
      if (view !== undefined) views.push(view);
    }
    return views.sort((one, other) => other.registers.last_at - one.registers.last_at);
  }

  conversation(conversationId: Uuid): ConversationView | undefined {
    return this.#host.machine.conversation(conversationId);
  }

  /** Rows that this device holds, ascending: the newest `limit` of those below `before`. Void rows are among them. */
  messages(conversationId: Uuid, limit: number, before?: number): readonly PageRow[] {
    return this.#options.storage.rows(conversationId, limit, before);
  }

  outbox(conversationId?: Uuid): readonly OutboxEntry[] {
    return this.#host.machine.outbox(conversationId);
  }

  unread(conversationId: Uuid): UnreadCount {
    const view = this.conversation(conversationId);
    if (view === undefined) return { count: 0, more: false };
    return (
      view.unread ??
      countUnreadRows(this.messages(conversationId, limits.dedupeRowsMax), view.registers.read_seq, this.userId)
    );
  }

  /** Of an own row. Groups: as far as it was pulled since the group was opened. */
  statusOf(conversationId: Uuid, seq: number, maxStatus: "sent" | undefined): MessageStatus {
    if (this.conversation(conversationId)?.kind === "group") {
      return this.#groups.statusOf(conversationId, this.userId, seq);
    }
    return this.#host.machine.statusOf(conversationId, seq, maxStatus);
  }

  /** Who got and read what in a group that was opened; undefined before the first answer. */
  groupWatermarks(conversationId: Uuid): readonly MemberWatermarks[] | undefined {
    return this.#groups.members(conversationId);
  }

  markRead(conversationId: Uuid, seq: number): void {
    this.#host.machine.markRead(this.#now(), conversationId, seq);
  }

  openConversation(conversationId: Uuid): void {
    this.#host.machine.openConversation(this.#now(), conversationId);
  }

  closeConversation(conversationId: Uuid): void {
    this.#host.machine.closeConversation(this.#now(), conversationId);
  }

  /** Fetches up to `limit` older rows into the storage. False: there is nothing older. Rejects with DeliveryError, also when the server refuses. */
  async loadHistory(conversationId: Uuid, limit: number, timeoutMs: number): Promise<boolean> {
    if (!this.#host.machine.loadHistory(this.#now(), conversationId, limit)) {
      throw new DeliveryError("not_ready", "not connected, or older rows are being fetched already");
    }
    let hasMore = false;
    await this.#until(
      (event) => {
        if (event.type === "history_failed" && event.conversationId === conversationId) {
          return new DeliveryError(event.code, event.message);
        }
        if (event.type !== "history" || event.conversationId !== conversationId) return false;
        hasMore = event.hasMore;
        return true;
      },
      timeoutMs,
      "no history",
    );
    return hasMore;
  }

  typing(conversationId: Uuid): void {
    this.#host.machine.typing(this.#now(), conversationId);
  }

  watch(userIds: readonly Uuid[]): void {
    this.#host.machine.watch(this.#now(), userIds);
  }

  draft(conversationId: Uuid): string {
    return this.#options.storage.draft(conversationId);
  }

  setDraft(conversationId: Uuid, text: string): void {
    this.#options.storage.setDraft(conversationId, text);
  }

  /** Calls `listener` for every event from now on, in order; answers how to stop that. It must not throw. */
  onEvent(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Events from now on, for `for await`; ends with the client. */
  events(): EventQueue<HostEvent> {
    const queue = new EventQueue<HostEvent>(eventsMax, () => {
      stop();
      this.#queues.delete(queue);
    });
    const stop = this.onEvent((event) => queue.push(event));
    this.#queues.add(queue);
    return queue;
  }

  /** Ends the session of this device on the server, then the client. */
  async logOut(scope: "device" | "all" = "device"): Promise<void> {
    await logOut(this.#http(), await this.#session.accessToken(), scope);
    await this.close();
  }

  /** Waits up to `drainMs` for the outbox to empty, then disconnects and closes the storage. Idempotent. */
  close(drainMs = 0): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const until = this.#now() + drainMs;
    while (this.#now() < until && this.outbox().some((entry) => entry.state === "pending")) {
      await new Promise<void>((resolve) => void this.#clock.schedule(drainPollMs, resolve));
    }
    this.#host.close();
    this.#poll?.cancel();
    this.#waiters.close();
    for (const queue of this.#queues) queue.end();
    clearInterval(this.#alive);
    await this.#options.storage.close();
  }

  #outgoing(messageId: Uuid, conversationId: Uuid): OutgoingMessage {
    return {
      messageId,
      conversationId,
      reached: (status, timeoutMs) => {
        const reached = this.#waiters.wait(messageId, status, timeoutMs);
        this.#pollGroups();
        return reached;
      },
    };
  }

  #onEvent(event: HostEvent): void {
    this.#groups.apply(event as Parameters<GroupWatermarks["apply"]>[0]);
    this.#waiters.apply(event);
    if (event.type === "sent") this.#pollGroups();
    for (const listener of this.#listeners) listener(event);
  }

  /** Receipts of a group are pulled; while somebody waits for them, again and again. */
  #pollGroups(): void {
    if (this.#poll !== undefined) return;
    const groups = new Set<Uuid>();
    for (const { conversationId } of this.#waiters.watched()) {
      if (this.conversation(conversationId)?.kind === "group") groups.add(conversationId);
    }
    if (groups.size === 0) return;
    this.#poll = this.#clock.schedule(groupPollMs, () => {
      this.#poll = undefined;
      this.#pollGroups();
    });
    for (const conversationId of groups) this.openConversation(conversationId);
  }

  /** `applies`: whether it is the event; or why it will not come. */
  #until(applies: (event: HostEvent) => boolean | DeliveryError, timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(timeoutMs, () => {
        stop();
        reject(new DeliveryError("timeout", `${what} within ${timeoutMs} ms`));
      });
      const stop = this.onEvent((event) => {
        const answer = applies(event);
        if (answer === false) return;
        timer.cancel();
        stop();
        if (answer === true) resolve();
        else reject(answer);
      });
    });
  }

  #http(): HttpOptions {
    return { url: this.#options.url };
  }

  #now(): number {
    return this.#clock.monotonicMs();
  }
}

/** A client that does nothing yet: subscribe, then `connect`. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
