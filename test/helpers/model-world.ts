import { createSeededRandom, randomBelow, type Random } from "../../src/base/random.ts";
import type { MachineConfig } from "../../src/client/machine/types.ts";
import { isVoid } from "../../src/protocol/fields.ts";
import { createUuidV7, directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { kinds } from "../../src/protocol/kinds.ts";
import { ModelDevice } from "./model-device.ts";
import type { ModelLog } from "./model-log.ts";
import { calm, ModelServer, modelPaging, type ModelFaults } from "./model-server.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What happens to a world; numbers are taken modulo what there is. */
export type WorldStep =
  | { readonly do: "send"; readonly device: number; readonly to: number; readonly count: number }
  | { readonly do: "read"; readonly device: number; readonly to: number }
  | { readonly do: "cut"; readonly device: number }
  /** Starts again after `awaySteps` further steps. */
  | { readonly do: "kill"; readonly device: number; readonly awaySteps: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "member"; readonly user: number }
  | { readonly do: "block"; readonly user: number; readonly other: number }
  /** The older part of a conversation is gone, whoever has read it or not. */
  | { readonly do: "expire"; readonly conversation: number }
  | { readonly do: "resync" };

export interface WorldOptions {
  readonly seed: number;
  readonly faults: ModelFaults;
  readonly diskDelayMsMax: number;
  readonly config?: Partial<MachineConfig>;
}

/** Three users, the first with two devices, a direct chat for each pair and one group; real machines, model server. */
export class ModelWorld {
  readonly time = new VirtualTime();
  readonly server: ModelServer;
  readonly devices: ModelDevice[] = [];
  readonly users: Uuid[];
  readonly groupId: Uuid;
  /** Messages in the order in which each device was asked to send them. */
  readonly asked = new Map<Uuid, { device: ModelDevice; order: number }>();
  readonly #random: Random;
  readonly #away = new Map<ModelDevice, number>();

  constructor(options: WorldOptions) {
    this.#random = createSeededRandom(options.seed);
    this.server = new ModelServer(this.time, this.#random);
    this.server.faults = options.faults;
    this.users = [0, 1, 2].map((index) => createUuidV7(index, this.#random));
    this.groupId = createUuidV7(9, this.#random);
    this.server.group(this.groupId, this.users);
    for (const [user, device] of [
      [0, 1],
      [0, 2],
      [1, 1],
      [2, 1],
    ] as const) {
      this.devices.push(
        new ModelDevice({
          time: this.time,
          random: this.#random,
          server: this.server,
          user: this.users[user] as Uuid,
          device,
          diskDelayMsMax: options.diskDelayMsMax,
          config: {
            rangeRowsMax: modelPaging.pageRows,
            behindRowsMax: modelPaging.behindRows,
            heldRowsMax: 6,
            sendWindowPerConversation: 4,
            ...options.config,
          },
        }),
      );
    }
    this.server.holds = (user, device, conversationId, seq) =>
      this.devices
        .find((candidate) => candidate.user === user && candidate.device === device)
        ?.rows(conversationId, false)
        .some((row) => row.seq === seq) === true;
    this.server.remembers = (user, device, messageId) =>
      this.devices.find((candidate) => candidate.user === user && candidate.device === device)?.hasStored(messageId) ===
      true;
  }

  step(step: WorldStep): void {
    for (const [device, steps] of this.#away) this.#away.set(device, steps - 1);
    this.#wake(0);
    switch (step.do) {
      case "send":
        for (let count = 0; count < step.count; count++) this.#send(this.#device(step.device), step.to);
        break;
      case "read":
        this.#read(this.#device(step.device), step.to);
        break;
      case "cut":
        this.#device(step.device).cut();
        break;
      case "kill":
        if (this.#away.has(this.#device(step.device))) break;
        this.#device(step.device).kill();
        this.#away.set(this.#device(step.device), step.awaySteps);
        break;
      case "pass":
        this.pass(step.ms);
        break;
      case "member":
        this.#toggleMember(this.users[step.user % 3] as Uuid);
        break;
      case "block":
        this.server.blocked.add(`${this.users[step.user % 3]}:${this.users[step.other % 3]}`);
        break;
      case "expire": {
        const log = [...this.server.logs.values()][step.conversation % this.server.logs.size];
        if (log !== undefined) log.goneTo = Math.max(log.goneTo, log.head - 2);
        break;
      }
      case "resync":
        this.server.resyncAll();
        break;
    }
  }

  pass(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }

  /** Ends all faults and gives everybody the time to recover. */
  settle(): void {
    this.server.faults = calm;
    this.#wake(Infinity);
    this.pass(60_000);
    this.server.resyncAll();
    this.pass(120_000);
  }

  /** What contradicts the promises, in words; empty = all is well. */
  findings(): string[] {
    return [
      ...this.server.violations,
      ...this.#logFindings(),
      ...this.devices.flatMap((device) => this.#orderFindings(device)),
      ...this.devices.flatMap((device) => [...this.#deviceFindings(device), ...this.#receiptFindings(device)]),
    ];
  }

  conversationOf(device: ModelDevice, to: number): Uuid {
    const peer = this.users[to % 4];
    return peer === undefined ? this.groupId : directConversationId(device.user, peer);
  }

  #wake(stepsMax: number): void {
    for (const [device, steps] of this.#away) {
      if (steps > stepsMax) continue;
      this.#away.delete(device);
      device.start();
    }
  }

  #device(index: number): ModelDevice {
    return this.devices[index % this.devices.length] as ModelDevice;
  }

  #send(device: ModelDevice, to: number): void {
    if (this.#away.has(device)) return;
    const messageId = createUuidV7(Math.floor(this.time.nowMs), this.#random);
    const peer = this.users[to % 4];
    const target = peer === undefined ? { conversation: this.groupId } : { user: peer };
    const message = { messageId, to: target, kind: kinds.text, envelope: "eA==", createdAt: this.time.nowMs };
    if (device.machine.send(this.time.nowMs, message) === "queued") {
      this.asked.set(messageId, { device, order: this.asked.size });
    }
  }

  #read(device: ModelDevice, to: number): void {
    if (this.#away.has(device)) return;
    const conversationId = this.conversationOf(device, to);
    const filled = device.machine.conversation(conversationId)?.filled ?? 0;
    const seq = filled === 0 ? 0 : 1 + randomBelow(this.#random, filled);
    device.machine.markRead(this.time.nowMs, conversationId, seq);
  }

  #toggleMember(user: Uuid): void {
    const log = this.server.logs.get(this.groupId);
    if (log === undefined) return;
    const joins = !log.isMember(user);
    if (!joins) log.leave(user);
    const messageId = createUuidV7(Math.floor(this.time.nowMs), this.#random);
    const sender = { user: this.users[0] as Uuid, device: 0 };
    if (joins) log.join(user);
    log.append({ message_id: messageId, sender, sent_at: 0, kind: kinds.system, envelope: "", hidden: false });
  }

  #logFindings(): string[] {
    const found: string[] = [];
    for (const log of this.server.logs.values()) {
      const seen = new Set<Uuid>();
      const lastOrder = new Map<ModelDevice, number>();
      for (const row of log.rows) {
        if (seen.has(row.message_id)) found.push(`${row.message_id} is twice in the log`);
        seen.add(row.message_id);
        const asked = this.asked.get(row.message_id);
        if (asked === undefined) continue;
        if (asked.order < (lastOrder.get(asked.device) ?? -1)) found.push(`seq ${row.seq} overtook an earlier message`);
        lastOrder.set(asked.device, asked.order);
      }
    }
    return found;
  }

  #deviceFindings(device: ModelDevice): string[] {
    const found: string[] = [];
    const name = `${this.users.indexOf(device.user)}.${device.device}`;
    if (device.machine.connectionState !== "ready") found.push(`${name} is ${device.machine.connectionState}`);
    for (const entry of device.machine.outbox()) {
      // One that was refused after an attempt without an answer stays unknown: who sent it decides.
      if (entry.state === "pending" || entry.errorCode === "stale_since")
        found.push(`${name} still has ${entry.messageId}: ${entry.state}`);
    }
    for (const log of this.server.logs.values()) {
      if (!log.members.has(device.user)) continue;
      const view = device.machine.conversation(log.conversationId);
      const end = log.endFor(device.user);
      const title = `${name} in ${log.kind} ${log.conversationId.slice(-4)}`;
      const filled = view?.filled ?? 0;
      // A void at the very end is nobody's news: it is fetched with the next row.
      if (filled < log.registers(device.user).last_seq) found.push(`${title} has ${filled} of ${end}`);
      const held = new Map(device.rows(log.conversationId).map((row) => [row.seq, row]));
      for (let seq = view?.start ?? 1; seq <= filled; seq++) {
        if (!log.canRead(device.user, seq) || seq <= log.goneTo) continue;
        const row = held.get(seq);
        const expected = log.shown(device.user, seq);
        if (row === undefined) found.push(`${title} lacks ${seq}`);
        else if (isVoid(row) !== isVoid(expected)) found.push(`${title}: ${seq} is not what the log shows`);
        else if (!isVoid(row) && !isVoid(expected) && row.message_id !== expected.message_id) {
          found.push(`${title} has another message at ${seq}`);
        }
      }
    }
    return found;
  }

  /** Each process shows a row once, and `append` leaves out nothing that could be shown. */
  #orderFindings(device: ModelDevice): string[] {
    const found: string[] = [];
    const shown = new Set<string>();
    const newest = new Map<string, number>();
    for (const { life, event } of device.shown) {
      if (event.placement === "history") continue;
      const log = this.server.logs.get(event.conversationId) as ModelLog;
      const key = `${life} ${event.conversationId}`;
      for (const { seq } of event.rows) {
        if (shown.has(`${key} ${seq}`)) found.push(`seq ${seq} was shown twice`);
        shown.add(`${key} ${seq}`);
        const before = newest.get(key);
        for (let left = (before ?? seq) + 1; event.placement === "append" && left < seq; left++) {
          if (log.canRead(device.user, left) && left > log.goneTo) found.push(`seq ${seq} was shown before ${left}`);
        }
        if (event.placement !== "fill") newest.set(key, seq);
      }
    }
    return found;
  }

  #receiptFindings(device: ModelDevice): string[] {
    const found: string[] = [];
    for (const log of this.server.logs.values()) {
      const member = log.members.get(device.user);
      if (member === undefined || !log.isMember(device.user)) continue;
      let newest = 0;
      for (const row of log.rows) {
        const counts = row.sender.user !== device.user && !row.hidden && row.seq > log.goneTo;
        if (counts && log.canRead(device.user, row.seq)) newest = row.seq;
      }
      if (member.recv < newest) found.push(`recv ${member.recv} of ${newest} for user ${device.user.slice(-4)}`);
    }
    return found;
  }
}
