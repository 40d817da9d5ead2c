import { createMachineConfig } from "../../src/client/machine/config.ts";
import { DeviceMachine } from "../../src/client/machine/machine.ts";
import type {
  Change,
  ClientEvent,
  Effects,
  Machine,
  MachineConfig,
  OutboxEntry,
} from "../../src/client/machine/types.ts";
import { StoredState } from "../../src/client/storage/stored-state.ts";
import { closeCodes } from "../../src/protocol/close-codes.ts";
import { isVoid, type PageRow } from "../../src/protocol/fields.ts";
import type { ClientFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import { createUuidV7, directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { kinds } from "../../src/protocol/kinds.ts";
import { limits } from "../../src/protocol/limits.ts";
import { GateWatch } from "./gate-watch.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { Link } from "./network.ts";
import type { SimNode } from "./node.ts";
import type { Plan } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Witness } from "./witness.ts";

export interface DeviceParts {
  readonly userId: Uuid;
  readonly device: number;
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly witness: Witness;
  readonly plan: Plan;
  readonly mutant: Mutant | undefined;
  /** A node to connect to; undefined: nobody answers. */
  readonly findNode: () => SimNode | undefined;
}

/**
 * One device: the real machine, a disk that makes changes durable later and in order, and a user who looks at it.
 * `crash` loses the process and what is not durable; `start` restores the rest.
 */
export class SimDevice implements Effects {
  readonly userId: Uuid;
  readonly device: number;
  readonly name: string;
  machine: Machine | undefined = undefined;
  /** What is durable. */
  disk = new StoredState();
  link: Link | undefined = undefined;
  /** Lost with everything on it: never starts again. */
  gone = false;
  /** What it shows of others, since it was connected last. */
  readonly shown = new Map<Uuid, { readonly online: boolean }>();
  /** When it was connected last, if it still is. */
  readySinceMs = Infinity;
  /** Its user is away: whoever wants to wake it has to wait. */
  rests = false;
  #watched: readonly Uuid[] = [];
  readonly #parts: DeviceParts;
  readonly #config: MachineConfig;
  #life = 0;
  #changes: Change[] = [];
  #durable = 0;
  #wake: { cancel(): void } | undefined = undefined;
  #next: SimNode | undefined;
  #node: SimNode | undefined;
  #gate = new GateWatch();
  /** Rows shown in this life, by conversation. */
  #shown = new Map<Uuid, Set<number>>();
  readonly #counts = new Map<Uuid, number>();
  readonly #durablePuts = new Set<Uuid>();
  #filter: (frame: ClientFrame) => ClientFrame | undefined = (frame) => frame;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.userId = parts.userId;
    this.device = parts.device;
    this.name = parts.name;
    this.#config = createMachineConfig({
      receiptDelayMs: parts.plan.receiptDelayMs,
      answerTimeoutMs: parts.plan.tight?.answerTimeoutMs ?? parts.plan.answerTimeoutMs,
      rangeRowsMax: limits.pageRowsMax,
      behindRowsMax: limits.syncBehindRowsMax,
      heldRowsMax: 6,
      rangesInFlightMax: 2,
      sendWindowPerConversation: 4,
      sendWindowPerConnection: 6,
      syncHoldMs: 2_000,
    });
    this.start();
  }

  get nowMs(): number {
    return this.#parts.scheduler.nowMs;
  }

  get running(): boolean {
    return this.machine !== undefined;
  }

  start(): void {
    if (this.machine !== undefined || this.gone || this.rests) return;
    const { scheduler, mutant } = this.#parts;
    const environment = { effects: this, random: scheduler.random, config: this.#config };
    const identity = { owner: this.#life, userId: this.userId, device: this.device };
    this.#shown = new Map();
    const machine = new DeviceMachine(environment, identity, this.disk.device());
    this.machine = machine;
    for (const entry of machine.outbox()) this.#restored(entry);
    this.#filter =
      mutant?.frames?.({
        userId: this.userId,
        nowMs: () => this.nowMs,
        machine: () => machine,
        soon: (run) => {
          const life = this.#life;
          scheduler.after(0, () => (life === this.#life ? run(machine) : undefined));
        },
      }) ?? ((frame) => frame);
    machine.watch(this.nowMs, this.#watched);
    machine.start(this.nowMs);
  }

  /** Whose presence it shows. */
  watch(userIds: readonly Uuid[]): void {
    this.#watched = userIds.filter((userId) => userId !== this.userId);
    this.machine?.watch(this.nowMs, this.#watched);
  }

  crash(): void {
    if (this.machine === undefined) return;
    this.machine = undefined;
    this.#leaves();
    this.#life++;
    this.#changes = [];
    this.#durable = 0;
    this.#wake?.cancel();
    // The operating system closes its sockets.
    this.link?.cut(undefined, this.#parts.scheduler.between(0, 100));
    this.link = undefined;
  }

  /** Takes a message into the outbox. */
  write(to: { readonly user: Uuid } | { readonly conversation: Uuid }): void {
    const { machine } = this;
    if (machine === undefined) return;
    const { scheduler, witness } = this.#parts;
    const messageId = createUuidV7(1_700_000_000_000 + Math.floor(this.nowMs), scheduler.random);
    const kind = scheduler.chance(0.1) ? kinds.reaction : kinds.text;
    const envelope = Buffer.from(messageId.slice(-6)).toString("base64");
    const message = { messageId, to, kind, envelope, createdAt: Math.floor(this.nowMs) };
    this.#record(messageId, to);
    if (machine.send(this.nowMs, message) !== "queued") witness.sent.delete(messageId);
  }

  /** The user gives up on a message of unknown fate, or sends it again as another one. */
  resolve(messageId: Uuid, again: boolean): void {
    const { machine } = this;
    const entry = machine?.outbox().find((each) => each.messageId === messageId);
    if (machine === undefined || entry === undefined || entry.state === "pending") return;
    if (!again) {
      machine.discard(this.nowMs, messageId);
      return;
    }
    const newId = createUuidV7(1_700_000_000_000 + Math.floor(this.nowMs), this.#parts.scheduler.random);
    this.#record(newId, entry.to);
    if (!machine.sendAgain(this.nowMs, messageId, newId)) this.#parts.witness.sent.delete(newId);
  }

  view(conversationId: Uuid, seq: number): void {
    const filled = this.machine?.conversation(conversationId)?.filled ?? 0;
    const seen = Math.min(seq, filled);
    if (this.machine === undefined || seen < 1) return;
    this.#parts.witness.views(this.userId, conversationId, seen);
    this.machine.markRead(this.nowMs, conversationId, seen);
  }

  /** Whether the message was durable here, so that it can never be forgotten. */
  remembers(messageId: Uuid): boolean {
    return this.#durablePuts.has(messageId);
  }

  send(owner: number, frame: ClientFrame): void {
    if (owner !== this.#life) return;
    const sent = this.#filter(frame);
    if (sent === undefined) return;
    this.#parts.scheduler.mark(sent.type, this.device);
    this.#parts.witness.note(() => `${this.name} → ${JSON.stringify(sent)}`);
    this.#gate.sends(sent);
    this.link?.toServer(sent);
  }

  persist(_owner: number, change: Change): boolean {
    this.#checkBounds(change);
    const { scheduler, plan, mutant } = this.#parts;
    if (plan.diskDelayMsMax === 0) {
      this.#apply(change);
      return true;
    }
    this.#changes.push(change);
    const life = this.#life;
    const count = this.#durable + this.#changes.length;
    scheduler.after(scheduler.between(0, plan.diskDelayMsMax), () => {
      if (life === this.#life) this.#flush(count);
    });
    return mutant?.diskLies === true;
  }

  wake(owner: number, atMs: number): void {
    this.#wake?.cancel();
    this.#wake = this.#parts.scheduler.after(atMs - this.nowMs, () => {
      if (owner === this.#life) this.machine?.tick(this.nowMs);
    });
  }

  emit(_owner: number, event: ClientEvent): void {
    const { witness } = this.#parts;
    if (event.type === "connection") {
      witness.note(() => `${this.name} is ${event.state} ${event.code ?? ""}`);
      if (event.state === "ready") this.#enters();
      else this.#leaves();
    } else if (event.type === "presence") {
      this.shown.set(event.userId, { online: event.online });
    }
    if (event.type === "rows") this.#show(event.conversationId, event.placement, event.rows);
    else if (event.type === "sent") {
      const record = witness.sent.get(event.messageId);
      if (record === undefined || record.outcome === "acked") return;
      record.outcome = "acked";
      record.ackedAt = this.nowMs;
      record.seq = event.seq;
    } else if (event.type === "send_failed") {
      const record = witness.sent.get(event.messageId);
      if (record !== undefined && event.state === "failed") record.outcome = "refused";
      witness.note(() => `${this.name} gives up ${witness.names.of(event.messageId, "m")}: ${event.code}`);
    }
  }

  connect(owner: number): void {
    const { scheduler, findNode } = this.#parts;
    scheduler.after(scheduler.between(1, 50), () => {
      if (owner !== this.#life || this.machine?.connectionState !== "connecting") return;
      const node = this.#next ?? findNode();
      this.#next = undefined;
      if (node === undefined || !node.takes) {
        this.machine.disconnected(this.nowMs, 1006);
        return;
      }
      const link = new Link(scheduler);
      this.link = link;
      this.#node = node;
      this.#gate = new GateWatch();
      const mine = (): boolean => owner === this.#life && this.link === link;
      link.onServerFrame = (frame) => {
        if (mine()) this.#take(frame);
      };
      link.onClientEnd = (code) => {
        if (!mine()) return;
        this.link = undefined;
        if (code === closeCodes.replaced.code) {
          // It keeps a client from coming back, and this device has no other connection.
          this.#parts.witness.blame("connections", `${this.name} hears that it is connected elsewhere`);
        }
        this.machine?.disconnected(this.nowMs, code);
      };
      node.accept(this.userId, this.device, link);
      this.machine.connected(this.nowMs);
    });
  }

  /** Where the load balancer sends the next connection. */
  connectNextTo(node: SimNode): void {
    this.#next = node;
  }

  connectsTo(node: SimNode): boolean {
    return this.#node === node && this.link !== undefined && this.machine?.connectionState === "greeting";
  }

  disconnect(owner: number, reason: string): void {
    if (owner !== this.#life) return;
    if (reason === "gate") this.#checkGate();
    this.link?.cut(undefined, this.#parts.scheduler.between(0, 100));
    this.link = undefined;
  }

  #enters(): void {
    this.readySinceMs = this.nowMs;
    this.#parts.witness.enters(this.userId, this.name);
  }

  #leaves(): void {
    if (this.readySinceMs === Infinity) return;
    this.readySinceMs = Infinity;
    this.shown.clear();
    this.#parts.witness.leaves(this.userId, this.name);
  }

  #record(messageId: Uuid, to: { readonly user: Uuid } | { readonly conversation: Uuid }): void {
    const conversationId = "user" in to ? directConversationId(this.userId, to.user) : to.conversation;
    const n = (this.#counts.get(conversationId) ?? 0) + 1;
    this.#counts.set(conversationId, n);
    const { userId, name, nowMs } = this;
    this.#parts.witness.sent.set(messageId, {
      id: messageId,
      device: name,
      userId,
      conversationId,
      n,
      sentAt: nowMs,
      ackedAt: Infinity,
      seq: 0,
      outcome: "undecided",
      refused: false,
    });
  }

  #restored({ messageId, state }: OutboxEntry): void {
    const record = this.#parts.witness.sent.get(messageId);
    if (state === "pending" && record?.outcome === "refused") record.outcome = "undecided";
  }

  #take(frame: ServerFrame): void {
    this.#parts.scheduler.mark(frame.type, this.device);
    this.#parts.witness.note(() => `${this.name} ← ${JSON.stringify(frame)}`);
    this.#gate.hears(frame);
    this.machine?.frame(this.nowMs, frame);
  }

  #flush(count: number): void {
    const due = count - this.#durable;
    if (due <= 0) return;
    for (const change of this.#changes.splice(0, due)) this.#apply(change);
    this.#durable = count;
    this.machine?.durable(this.nowMs, count);
  }

  #apply(change: Change): void {
    this.disk.apply(change);
    if (change.outboxPut !== undefined) this.#durablePuts.add(change.outboxPut.messageId);
    const { conversation, rows } = change;
    if (conversation === undefined || rows === undefined) return;
    for (const row of rows) this.#parts.witness.stores(this.userId, conversation.conversationId, row.seq);
  }

  /** I2: what was shown is not shown again while the process lives; and the order within an event. */
  #show(conversationId: Uuid, placement: string, rows: readonly PageRow[]): void {
    const { witness } = this.#parts;
    const shown = this.#shown.get(conversationId) ?? new Set();
    this.#shown.set(conversationId, shown);
    let last = 0;
    for (const row of rows) {
      const where = `${this.name} shows seq ${row.seq} of ${witness.names.of(conversationId, "c")}`;
      if (row.seq <= last) witness.blame("I3", `${where} after ${last}`);
      if (shown.has(row.seq)) witness.blame("I2", `${where} again (${placement})`);
      last = row.seq;
      shown.add(row.seq);
      const truth = witness.rowOf(conversationId, row.seq);
      if (truth === undefined) witness.blame("I2", `${where}, which is not in the log`);
      else if (!isVoid(row) && truth.visibility === 1 && truth.senderId !== this.userId) {
        witness.blame("I7", `${where}, which is for its sender only`);
      }
    }
  }

  #checkGate(): void {
    const { witness } = this.#parts;
    const pending = (this.machine?.outbox() ?? []).filter(({ state }) => state === "pending");
    const messageId = this.#gate.blamed(new Set(pending.map((entry) => entry.messageId)));
    if (messageId === undefined) return;
    witness.blame(
      "progress",
      `${this.name} cannot send ${witness.names.of(messageId, "m")}: nothing is missing before it`,
    );
  }

  #checkBounds({ conversation }: Change): void {
    if (conversation !== undefined && conversation.runs.length > this.#config.runsPerConversationMax) {
      this.#parts.witness.blame("bounds", `${this.name} keeps ${conversation.runs.length} runs`);
    }
  }
}
