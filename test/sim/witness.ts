import { isReadable } from "../../src/core/receipts/watermark-rule.ts";
import { chunkOf } from "../../src/core/fan-out/chunks.ts";
import type { ListWrite, LogRow, MemberInterval } from "../../src/core/model.ts";
import type { AppendRequest } from "../../src/core/ports/message-log.ts";
import type { ReceiptWrite } from "../../src/core/ports/receipts.ts";
import { uuidVersion, type Uuid } from "../../src/protocol/ids.ts";
import type { ServerFrameOf } from "../../src/protocol/frames/server-frames.ts";
import type { Names } from "./names.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Stores } from "./stores.ts";

/** A message that a device took into its outbox, and what became of it. */
export interface SentRecord {
  readonly id: Uuid;
  readonly device: string;
  readonly userId: Uuid;
  readonly conversationId: Uuid;
  /** Number within (device, conversation), from 1. */
  readonly n: number;
  readonly sentAt: number;
  ackedAt: number;
  seq: number;
  outcome: "acked" | "refused" | "undecided";
  /** A node refused it for good. If its device never heard so, or lost it, it tries again: its place in the order is free. */
  refused: boolean;
}

interface BlockState {
  readonly state: "blocked" | "open" | "unknown";
  readonly since: number;
}

/** A block counts for what is appended later than this: a second (I7), and what the clocks of nodes are apart. */
const blockLagMs = 1_050;

/**
 * Sees everything from above the stores, the nodes and the devices at once, and compares what is promised with what is
 * true at that moment: an answer with what is durable, a receipt with what devices hold and users saw, a row with the
 * blocks. What can only be told at the end is told by checks.ts from what is recorded here.
 */
export class Witness {
  readonly violations: string[] = [];
  readonly trace: string[] = [];
  readonly sent = new Map<Uuid, SentRecord>();
  /** Messages that some node answered with ACK. */
  readonly answered = new Set<Uuid>();
  readonly names: Names;
  readonly #scheduler: Scheduler;
  readonly #stores: Stores;
  readonly #keepsTrace: boolean;
  /** Rows that some device of the user once held durably, and the highest that the user saw; by user and conversation. */
  readonly #stored = new Map<string, Set<number>>();
  readonly #viewed = new Map<string, number>();
  readonly #blocks = new Map<string, BlockState>();
  /** Devices that are connected, as they see it; by user. */
  readonly #present = new Map<Uuid, Set<string>>();
  readonly #leftAtMs = new Map<Uuid, number>();

  constructor(scheduler: Scheduler, stores: Stores, names: Names, keepsTrace: boolean) {
    this.#scheduler = scheduler;
    this.#stores = stores;
    this.names = names;
    this.#keepsTrace = keepsTrace;
  }

  blame(promise: string, what: string): void {
    this.violations.push(`${promise} at ${Math.round(this.#scheduler.nowMs)} ms: ${what}`);
    this.note(() => `!! ${promise}: ${what}`);
  }

  note(line: () => string): void {
    if (this.#keepsTrace) this.trace.push(`${this.#scheduler.nowMs.toFixed(0).padStart(7)}  ${line()}`);
  }

  rowOf(conversationId: Uuid, seq: number): LogRow | undefined {
    return this.#stores.log.rowsOf(conversationId)[seq - 1];
  }

  intervalsOf(conversationId: Uuid, userId: Uuid): readonly Pick<MemberInterval, "joinedSeq" | "leftSeq">[] {
    if (uuidVersion(conversationId) === 8) return [{ joinedSeq: 1, leftSeq: 0 }];
    return this.#stores.groups.intervalsOf(conversationId).filter((interval) => interval.userId === userId);
  }

  /** Whether the user may see the row, as far as memberships are settled now. */
  maySee(conversationId: Uuid, userId: Uuid, row: LogRow): boolean {
    if (row.visibility === 1 && row.senderId !== userId) return false;
    return isReadable(this.intervalsOf(conversationId, userId), row.seq);
  }

  viewedTo(userId: Uuid, conversationId: Uuid): number {
    return this.#viewed.get(userId + conversationId) ?? 0;
  }

  stores(userId: Uuid, conversationId: Uuid, seq: number): void {
    const key = userId + conversationId;
    const known = this.#stored.get(key);
    if (known === undefined) this.#stored.set(key, new Set([seq]));
    else known.add(seq);
  }

  views(userId: Uuid, conversationId: Uuid, seq: number): void {
    this.#viewed.set(userId + conversationId, Math.max(seq, this.viewedTo(userId, conversationId)));
  }

  blocks(ownerId: Uuid, otherId: Uuid, state: BlockState["state"]): void {
    this.#blocks.set(ownerId + otherId, { state, since: this.#scheduler.nowMs });
  }

  /** The latest that is settled between the two, in either direction; undefined = something is being changed. */
  blockBetween(one: Uuid, other: Uuid): { readonly blocked: boolean; readonly sinceMs: number } | undefined {
    const states = [this.#blocks.get(one + other), this.#blocks.get(other + one)].filter(
      (state) => state !== undefined,
    );
    if (states.some(({ state }) => state === "unknown")) return undefined;
    const sinceMs = Math.max(-Infinity, ...states.map(({ since }) => since));
    return { blocked: states.some(({ state }) => state === "blocked"), sinceMs };
  }

  enters(userId: Uuid, device: string): void {
    const devices = this.#present.get(userId) ?? new Set<string>();
    this.#present.set(userId, devices.add(device));
  }

  leaves(userId: Uuid, device: string): void {
    this.#present.get(userId)?.delete(device);
    this.#leftAtMs.set(userId, this.#scheduler.nowMs);
  }

  /** For how long no device of the user has been connected; negative = one is. */
  goneForMs(userId: Uuid): number {
    if ((this.#present.get(userId)?.size ?? 0) > 0) return -1;
    return this.#scheduler.nowMs - (this.#leftAtMs.get(userId) ?? -Infinity);
  }

  refuses(messageId: Uuid): void {
    const record = this.sent.get(messageId);
    if (record !== undefined) record.refused = true;
  }

  /** A node answers a send: by now everything is durable (I1). */
  acks(senderId: Uuid, frame: ServerFrameOf<"ACK">): void {
    const { conversation_id: conversationId, message_id: messageId, seq } = frame;
    this.answered.add(messageId);
    const row = this.rowOf(conversationId, seq);
    if (row?.messageId !== messageId) {
      this.blame("I1", `ACK of ${this.names.of(messageId, "m")} at seq ${seq}, where the log has ${row?.messageId}`);
      return;
    }
    for (const userId of this.#readersOf(conversationId, senderId, row)) {
      const listed = this.#stores.lists.rowOf(userId, conversationId)?.lastSeq ?? 0;
      if (listed < seq && !this.#stores.fanOut.holds(conversationId, chunkOf(userId), seq)) {
        const name = this.names.of(userId, "u");
        this.blame("I1", `ACK of seq ${seq} in ${this.names.of(conversationId, "c")}, but ${name} lists ${listed}`);
      }
    }
  }

  /** A node asks the log for an append: what it decided about blocks is still right (I7). */
  appends(request: AppendRequest): void {
    const { conversationId, expect } = request;
    for (const { userId, read, membership } of request.lists) {
      if (read === undefined || membership !== undefined) continue;
      // What stands above the head that it builds on is what it adds, or it is refused.
      this.#checkRead(conversationId, userId, Math.min(read.seq, expect.head));
      if (request.rows.some((row) => row.seq < read.seq && row.senderId !== userId)) {
        this.blame("I4", `${this.names.of(userId, "u")} reads what stands in the same append`);
      }
    }
    if (uuidVersion(conversationId) !== 8) return;
    for (const row of request.rows) {
      const peerId = request.lists.find((write) => write.userId === row.senderId)?.peerId;
      if (peerId === undefined || peerId === row.senderId) continue;
      const block = this.#blocks.get(peerId + row.senderId) ?? { state: "open", since: -Infinity };
      if (this.#scheduler.nowMs - block.since <= blockLagMs) continue;
      const name = this.names.of(row.messageId, "m");
      if (block.state === "blocked" && row.visibility === 0) this.blame("I7", `${name} passes a block`);
      if (block.state === "open" && row.visibility === 1) this.blame("I7", `${name} is hidden without a block`);
    }
  }

  /** A node writes watermarks: nothing is delivered before it is stored, nothing read before it is seen (I4). */
  confirms(writes: readonly ReceiptWrite[]): void {
    for (const { conversationId, userId, recv, read } of writes) {
      if (recv !== undefined) this.#checkDelivered(conversationId, userId, recv.seq);
      if (read !== undefined) this.#checkRead(conversationId, userId, read.seq);
    }
  }

  lists(writes: readonly ListWrite[]): void {
    for (const { conversationId, userId, read, membership } of writes) {
      if (read !== undefined && membership === undefined) this.#checkRead(conversationId, userId, read.seq);
    }
  }

  #readersOf(conversationId: Uuid, senderId: Uuid, row: LogRow): readonly Uuid[] {
    if (row.visibility === 1) return [senderId];
    if (uuidVersion(conversationId) !== 8) {
      return this.#stores.groups
        .intervalsOf(conversationId)
        .filter((interval) => isReadable([interval], row.seq))
        .map((interval) => interval.userId);
    }
    const peerId = this.#stores.lists.rowOf(senderId, conversationId)?.peerId;
    return peerId === undefined ? [senderId] : [senderId, peerId];
  }

  #checkDelivered(conversationId: Uuid, userId: Uuid, seq: number): void {
    const stored = this.#stored.get(userId + conversationId);
    for (const row of this.#foreignRows(conversationId, userId, seq)) {
      if (stored?.has(row.seq) === true) continue;
      const where = `seq ${row.seq} in ${this.names.of(conversationId, "c")}`;
      this.blame("I4", `${this.names.of(userId, "u")} confirms up to ${seq}, but no device stored ${where}`);
      return;
    }
  }

  #checkRead(conversationId: Uuid, userId: Uuid, seq: number): void {
    const newest = this.#foreignRows(conversationId, userId, seq).at(-1);
    const viewed = this.viewedTo(userId, conversationId);
    if (newest === undefined || newest.seq <= viewed) return;
    const where = this.names.of(conversationId, "c");
    this.blame("I4", `${this.names.of(userId, "u")} reads up to ${seq} in ${where}, but saw only ${viewed}`);
  }

  /** Rows of others up to `seq` in the latest membership. */
  #foreignRows(conversationId: Uuid, userId: Uuid, seq: number): readonly LogRow[] {
    // Who joined again starts with everything before that received and read, and none of it counts for anybody any more.
    const interval = this.intervalsOf(conversationId, userId).at(-1);
    if (interval === undefined || !isReadable([interval], seq)) return [];
    return this.#stores.log
      .rowsOf(conversationId)
      .slice(interval.joinedSeq - 1, seq)
      .filter((row) => row.senderId !== userId && row.visibility === 0);
  }
}
