import { assert } from "../../base/assert.ts";
import { BoundedQueue } from "../../base/bounded-queue.ts";
import { uuidVersion, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { bucketOf, emptyHead, type ConversationKind, type LogHead, type LogRow } from "../model.ts";
import type { PendingSend } from "./pending-send.ts";
import type { Peers } from "./peers.ts";
import { RecentRows } from "./recent-rows.ts";

/** Work other than a send that needs the lane for itself: a group change. Must not reject. */
export interface LaneTask {
  readonly job: "task";
  run(lane: Lane): Promise<void>;
}

export type LaneJob = PendingSend | LaneTask;

/** How the recipient of a direct message stands to its sender. */
export interface Standing {
  readonly blocked: boolean;
  /** Monotonic ms when the read began. */
  readonly readAt: number;
}

/**
 * All that a server process does to one conversation's log goes through its lane, one job at a time and first in, first
 * out. A lane keeps what makes the usual append cheap: the end of the log, the last ids, who may write. None of it is a
 * truth: an append states what it believes (`IF head = h AND membership = v`) and the store refuses what is stale.
 *
 * Knowledge of the end: unknown → known (read from the store, or own append) → unknown (conflict, open outcome, error).
 * It never comes from a client. `doubted` from an open outcome until an append succeeds: reads are serial meanwhile.
 */
export class Lane {
  readonly conversationId: Uuid;
  readonly kind: ConversationKind;
  readonly queue = new BoundedQueue<LaneJob>(limits.draftsPerConversationMax);
  running = false;
  /** Since the eviction last passed by. */
  used = false;

  known = false;
  doubted = false;
  end: LogHead = emptyHead;
  /** The bucket of `end` is full and was read serially: the next append may open a bucket. */
  borderProven = false;
  /** Ticket counter when the last serial read of the head began: sends with lower tickets are judged by it for good. */
  serialTicket = 0;
  /** A seq that is in the log, however old: a hint for reads. */
  hintSeq = 0;
  /** Up to here the list rows of every reader, or jobs that write them, are known to be durable; undefined: nobody looked yet. */
  listedTo: number | undefined;
  readonly recent = new RecentRows();
  /** Of a message that another process pushed; 0: nothing was heard since the end was learnt. Never believed, only looked up. */
  #heardSeq = 0;

  /** Direct chats. */
  peers: Peers | undefined;
  /** By sender. Cleared when a block changes. */
  readonly standings = new Map<Uuid, Standing>();
  standingsEpoch = 0;
  /** Lower bounds of members' read_seq. */
  readonly #readSeqs = new Map<Uuid, number>();

  constructor(conversationId: Uuid) {
    this.conversationId = conversationId;
    this.kind = uuidVersion(conversationId) === 8 ? "direct" : "group";
  }

  /** Whether another process is known to have appended behind what this lane holds for the end. */
  get isBehind(): boolean {
    return this.#heardSeq > this.end.head;
  }

  /**
   * A message was pushed through this process. Whoever pushes has made the list rows durable before, so those of a direct
   * chat need no repair here (a group's depend on who is a member).
   */
  heard(seq: number): void {
    this.#heardSeq = Math.max(this.#heardSeq, seq);
    if (this.kind === "direct" && this.listedTo === seq - 1) this.listedTo = seq;
  }

  /** What the store answered. */
  learn(end: LogHead): void {
    assert(end.head >= this.hintSeq, `log ${this.conversationId} ends at ${end.head}, before ${this.hintSeq}`);
    this.end = end;
    this.known = true;
    this.borderProven = false;
    this.hintSeq = end.head;
    this.#heardSeq = 0;
  }

  /** Whatever was believed of the end of the log may be wrong. */
  forget(): void {
    this.known = false;
    this.borderProven = false;
  }

  /** Rows that an append of this lane made durable, with their list rows. */
  advance(rows: readonly LogRow[], membership: number): void {
    const last = rows[rows.length - 1];
    assert(last !== undefined && this.known && rows[0]?.seq === this.end.head + 1, "an append continues the end");
    this.end = { head: last.seq, headUcount: last.ucount, headAt: last.sentAt, membership };
    this.hintSeq = last.seq;
    if (this.listedTo === rows[0].seq - 1) this.listedTo = last.seq;
    this.doubted = false;
    this.borderProven = false;
    for (const row of rows) this.recent.append(row);
  }

  /** Rows that fit the bucket of the next append; 0: the border has to be proven first. */
  room(bucketRows: number): number {
    const { head } = this.end;
    if (head === 0 || this.borderProven) return bucketRows;
    const full = (bucketOf(head, bucketRows) + 1) * bucketRows;
    return full - head;
  }

  forgetStandings(): void {
    this.standingsEpoch++;
    this.standings.clear();
  }

  readSeqOf(userId: Uuid): number | undefined {
    return this.#readSeqs.get(userId);
  }

  raiseReadSeq(userId: Uuid, readSeq: number): void {
    if (this.#readSeqs.size >= Lane.readSeqsMax && !this.#readSeqs.has(userId)) this.#readSeqs.clear();
    this.#readSeqs.set(userId, Math.max(readSeq, this.#readSeqs.get(userId) ?? 0));
  }

  /** Nothing waits: keep only what the next message of a chat needs. */
  rest(): void {
    this.recent.trim(RecentRows.idleRowsMax);
  }

  static readonly readSeqsMax = 64;
}
