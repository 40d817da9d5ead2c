import type { Random } from "../../base/random.ts";
import { present } from "../../base/assert.ts";
import type { PageRow } from "../../protocol/fields.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { createMachineConfig } from "../../client/machine/config.ts";
import { DeviceMachine } from "../../client/machine/machine.ts";
import type {
  Change,
  ClientEvent,
  ConnectionState,
  Effects,
  MessageToSend,
  Placement,
} from "../../client/machine/types.ts";
import { TimerWheel } from "../executors/timer-wheel.ts";
import { Link, type LinkHandlers } from "./link.ts";
import type { DeviceAccess } from "./messages.ts";
import { firstServerOf } from "./slots.ts";

/**
 * The devices of one worker: a machine, a socket and a timer each, in slots 0…n−1. The machines are the client's own, so
 * outbox, receipts, gap repair and sync behave as in the chat; what they would store is dropped, since the ledger keeps
 * what has to be proven.
 *
 * Actors: the sockets (through LinkHandlers), the clock (through `advance`), the workloads (through the methods). Events
 * of a machine are told after its input has returned, so that a listener may give the machine its next input; first where
 * a device begins anew, then the rows. Frames come from a server under test and are not checked field by field: a wrong one
 * shows in the ledger, and checking would make the generator the limit.
 */
export interface FleetListener {
  rows(slot: number, conversationId: Uuid, placement: Placement, rows: readonly PageRow[]): void;
  /** The device holds the conversation only from `start` on. */
  restarted(slot: number, conversationId: Uuid, start: number): void;
  sent(slot: number, messageId: Uuid, seq: number): void;
  sendFailed(slot: number, messageId: Uuid, state: "unknown" | "failed", code: string): void;
  watermarks(slot: number, conversationId: Uuid, userId: Uuid, recvSeq: number, readSeq: number): void;
  conversation(slot: number, conversationId: Uuid): void;
  connection(slot: number, state: ConnectionState, code: number | undefined): void;
  synced(slot: number): void;
  /** A heartbeat leaves. */
  beat(slot: number): void;
  /** True: the frame was asked for outside of the machine and is none of its business. */
  takes(slot: number, frame: ServerFrame): boolean;
  /** Everything that one input led to has been told. */
  told(): void;
}

export interface FleetOptions {
  /** Of the servers, over which the slots are spread. */
  readonly urls: readonly string[];
  readonly userIds: readonly Uuid[];
  readonly devices: readonly DeviceAccess[];
  readonly sourceAddresses: readonly string[];
  readonly random: Random;
  readonly nowMs: () => number;
  readonly listener: FleetListener;
}

export class Fleet implements Effects, LinkHandlers {
  readonly size: number;
  readonly #options: FleetOptions;
  readonly #addresses: readonly URL[];
  /** By slot: which of the addresses is its own. */
  readonly #serverOf: Uint16Array;
  readonly #machines: readonly DeviceMachine[];
  readonly #links: (Link | undefined)[];
  /** Connections of those who vanished. */
  readonly #silent = new Map<number, Link>();
  readonly #wheel: TimerWheel;
  /** When those who left come back. */
  readonly #returns: TimerWheel;
  readonly #originMs: number;
  /** Sent away by a workload; not the same as a connection that is lost. */
  readonly #away: Uint8Array;
  readonly #readySinceMs: Float64Array;
  readonly #beatMs: Float64Array;
  readonly #attempts: Uint32Array;
  readonly #refusals = new Map<string, number>();
  #events: { readonly slot: number; readonly event: ClientEvent }[] = [];
  #restarts: { readonly slot: number; readonly conversationId: Uuid; readonly start: number }[] = [];
  #telling = false;
  #ready = 0;

  /** `userIds`: of the owner of each slot. */
  constructor(options: FleetOptions) {
    const { devices, userIds, random, nowMs, urls } = options;
    this.#options = options;
    this.#addresses = urls.map((url) => new URL("/ws", url.replace(/^http/, "ws")));
    this.size = devices.length;
    this.#serverOf = Uint16Array.from(devices, (_, slot) => firstServerOf(slot, urls.length));
    this.#originMs = nowMs();
    this.#wheel = new TimerWheel({ timersMax: Math.max(1, this.size) });
    this.#returns = new TimerWheel({ timersMax: Math.max(1, this.size) });
    this.#links = Array.from({ length: this.size });
    this.#away = new Uint8Array(this.size);
    this.#attempts = new Uint32Array(this.size);
    this.#readySinceMs = new Float64Array(this.size).fill(Number.POSITIVE_INFINITY);
    this.#beatMs = new Float64Array(this.size).fill(Number.NEGATIVE_INFINITY);
    const environment = {
      effects: this,
      random,
      config: createMachineConfig({
        clientName: "msgr-bench",
        answerTimeoutMs,
        // A device that was away fetches all it missed, whatever its user's other devices have: so each can be checked.
        behindRowsMax: Number.MAX_SAFE_INTEGER,
      }),
    };
    this.#machines = devices.map(
      ({ device }, slot) =>
        new DeviceMachine(environment, { owner: slot, userId: present(userIds[slot], "owner"), device }),
    );
  }

  machine(slot: number): DeviceMachine {
    return this.#machines[slot] as DeviceMachine;
  }

  /** Connected and greeted. */
  isReady(slot: number): boolean {
    return this.machine(slot).connectionState === "ready";
  }

  isAway(slot: number): boolean {
    return this.#away[slot] === 1;
  }

  get readyCount(): number {
    return this.#ready;
  }

  /** ERROR frames that came, by code. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  /** Since when the device has been connected; Infinity while it is not. */
  readySinceMs(slot: number): number {
    return this.#readySinceMs[slot] as number;
  }

  /** Place in the list of urls: where the device is, or will be next. */
  serverOf(slot: number): number {
    return this.#serverOf[slot] as number;
  }

  /** Attempts to connect since this was asked last. */
  takeAttempts(slot: number): number {
    const attempts = this.#attempts[slot] as number;
    this.#attempts[slot] = 0;
    return attempts;
  }

  /** Where the device is, or will be next, and what it is let in with. */
  accessOf(slot: number): { readonly url: string; readonly token: string } {
    const { urls, devices } = this.#options;
    return { url: urls[this.#serverOf[slot] as number] as string, token: (devices[slot] as DeviceAccess).token };
  }

  start(slot: number): void {
    this.#away[slot] = 0;
    this.#silent.get(slot)?.terminate();
    this.#silent.delete(slot);
    this.machine(slot).start(this.#options.nowMs());
    this.#tell();
  }

  /** Goes offline and comes back by itself. */
  leave(slot: number, awayMs: number): void {
    const nowMs = this.#options.nowMs();
    this.#away[slot] = 1;
    this.#returns.set(slot, nowMs + awayMs - this.#originMs);
    this.machine(slot).stop(nowMs);
    this.#tell();
  }

  /**
   * Falls silent, as a device whose network is gone: its connection stays open, and nobody reads from it or writes to it.
   * Comes back by itself. Only while ready.
   */
  vanish(slot: number, awayMs: number): void {
    const link = this.#links[slot];
    if (link === undefined) return;
    this.#links[slot] = undefined;
    link.fallSilent();
    this.#silent.set(slot, link);
    this.leave(slot, awayMs);
  }

  sendMessage(slot: number, message: MessageToSend): boolean {
    const outcome = this.machine(slot).send(this.#options.nowMs(), message);
    this.#tell();
    return outcome === "queued";
  }

  markRead(slot: number, conversationId: Uuid, seq: number): void {
    this.machine(slot).markRead(this.#options.nowMs(), conversationId, seq);
    this.#tell();
  }

  /** A frame of a workload's own; only while ready. */
  transmit(slot: number, frame: ClientFrame): void {
    if (frame.type === "HEARTBEAT") {
      this.#beatMs[slot] = this.#options.nowMs();
      this.#options.listener.beat(slot);
    }
    this.#links[slot]?.send(JSON.stringify(frame));
  }

  /** Lets every machine do what is due. */
  advance(nowMs: number): void {
    this.#wheel.advance(nowMs - this.#originMs, (slot) => {
      this.machine(slot).tick(nowMs);
      this.#tell();
    });
    this.#returns.advance(nowMs - this.#originMs, (slot) => this.start(slot));
  }

  /** Nothing to send, nothing owed, nothing missing; away or lost devices are not asked. */
  isSettled(slot: number): boolean {
    const machine = this.machine(slot);
    if (this.isAway(slot) || machine.connectionState === "stopped") return true;
    return machine.connectionState === "ready" && machine.outbox().length === 0 && !this.isFilling(slot);
  }

  /** Some conversation lacks rows that exist. */
  isFilling(slot: number): boolean {
    const machine = this.machine(slot);
    for (const id of machine.conversationIds()) if (machine.conversation(id)?.filling === true) return true;
    return false;
  }

  close(): void {
    for (const link of this.#silent.values()) link.terminate();
    this.#silent.clear();
    for (const [slot, link] of this.#links.entries()) {
      this.#links[slot] = undefined;
      this.#wheel.cancel(slot);
      this.#returns.cancel(slot);
      link?.terminate();
    }
  }

  // Effects of the machines.

  send(slot: number, frame: ClientFrame): void {
    // A workload that beats for the device makes its own heartbeat superfluous.
    const recentlyMs = 1.2 * heartbeatMs;
    if (frame.type === "HEARTBEAT") {
      if (this.#options.nowMs() - (this.#beatMs[slot] as number) < recentlyMs) return;
      this.#options.listener.beat(slot);
    }
    this.#links[slot]?.send(JSON.stringify(frame));
  }

  persist(slot: number, change: Change): boolean {
    const { conversation } = change;
    if (conversation !== undefined && conversation.start > 1) {
      this.#restarts.push({ slot, conversationId: conversation.conversationId, start: conversation.start });
    }
    return true;
  }

  wake(slot: number, atMs: number): void {
    this.#wheel.set(slot, atMs - this.#originMs);
  }

  emit(slot: number, event: ClientEvent): void {
    if (event.type === "connection") this.#noteConnection(slot, event.state);
    this.#events.push({ slot, event });
  }

  connect(slot: number): void {
    const { devices, sourceAddresses } = this.#options;
    this.#attempts[slot] = (this.#attempts[slot] as number) + 1;
    const { token } = present(devices[slot], "device");
    const localAddress = sourceAddresses[slot % Math.max(1, sourceAddresses.length)];
    const url = this.#addresses[this.#serverOf[slot] as number] as URL;
    this.#links[slot] = new Link(slot, { url, token, localAddress }, this);
  }

  disconnect(slot: number, reason: string): void {
    if (reason !== "stopped") this.#moveOn(slot);
    const link = this.#links[slot];
    this.#links[slot] = undefined;
    link?.close();
  }

  // What sockets tell. A link counts only while it is the slot's current one.

  opened(slot: number, link: Link): void {
    if (this.#links[slot] !== link) return;
    this.machine(slot).connected(this.#options.nowMs());
    this.#tell();
  }

  received(slot: number, link: Link, text: string): void {
    if (this.#links[slot] !== link) return;
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === "ERROR") this.#refusals.set(frame.code, (this.#refusals.get(frame.code) ?? 0) + 1);
    if (!this.#options.listener.takes(slot, frame)) this.machine(slot).frame(this.#options.nowMs(), frame);
    this.#tell();
  }

  closed(slot: number, link: Link, code: number): void {
    if (this.#links[slot] !== link) return;
    this.#links[slot] = undefined;
    this.#moveOn(slot);
    this.machine(slot).disconnected(this.#options.nowMs(), code);
    this.#tell();
  }

  /** As behind a load balancer: the next attempt may find a server that lives. */
  #moveOn(slot: number): void {
    this.#serverOf[slot] = ((this.#serverOf[slot] as number) + 1) % this.#addresses.length;
  }

  #noteConnection(slot: number, state: ConnectionState): void {
    const was = this.#readySinceMs[slot] !== Number.POSITIVE_INFINITY;
    const is = state === "ready";
    this.#ready += Number(is) - Number(was);
    this.#readySinceMs[slot] = is ? this.#options.nowMs() : Number.POSITIVE_INFINITY;
  }

  #tell(): void {
    if (this.#telling || (this.#events.length === 0 && this.#restarts.length === 0)) return;
    this.#telling = true;
    const { listener } = this.#options;
    try {
      // Telling may lead to inputs that lead to more events.
      while (this.#events.length > 0 || this.#restarts.length > 0) {
        const [restarts, events] = [this.#restarts, this.#events];
        this.#restarts = [];
        this.#events = [];
        for (const { slot, conversationId, start } of restarts) listener.restarted(slot, conversationId, start);
        for (const { slot, event } of events) tellOne(listener, slot, event);
      }
    } finally {
      this.#telling = false;
    }
    listener.told();
  }
}

const heartbeatMs = 30_000;
/** Longer than a client's: under test a slow answer shall be seen as slow, not asked for twice. */
const answerTimeoutMs = 30_000;

function tellOne(listener: FleetListener, slot: number, event: ClientEvent): void {
  switch (event.type) {
    case "rows":
      listener.rows(slot, event.conversationId, event.placement, event.rows);
      break;
    case "sent":
      listener.sent(slot, event.messageId, event.seq);
      break;
    case "send_failed":
      listener.sendFailed(slot, event.messageId, event.state, event.code);
      break;
    case "watermarks":
      listener.watermarks(slot, event.conversationId, event.userId, event.recvSeq, event.readSeq);
      break;
    case "conversation":
      listener.conversation(slot, event.conversationId);
      break;
    case "connection":
      listener.connection(slot, event.state, event.code);
      break;
    case "synced":
      listener.synced(slot);
      break;
    default:
  }
}
