import type { StoreLedger } from "../ledger/store-ledger.ts";
import type { StoreConversations } from "./store-conversations.ts";
import type { CassandraOperations, ListWrite, LogRow, MessageLog } from "./store-operations.ts";
import { readBack, type ReadBackParts } from "./store-read-back.ts";
import { WorkError, type StoreWork } from "./store-work.ts";

/**
 * store.append, and store.message, which writes both members' list rows as well. Every conversation has one writer, so a
 * conflict is no part of the plan: it and an open outcome are settled by asking the store where the log ends.
 */
export interface AppendWorkOptions extends Omit<ReadBackParts, "lists"> {
  readonly operations: CassandraOperations;
  readonly conversations: StoreConversations;
  /** Of the adapter, to find the end of a log again and to read it back. */
  readonly log: MessageLog;
  readonly withLists: boolean;
  readonly lists: ReadBackParts["lists"];
}

export class AppendWork implements StoreWork {
  readonly #options: AppendWorkOptions;
  #acked = 0;
  #refused = 0;
  #undecided = 0;

  constructor(options: AppendWorkOptions) {
    this.#options = options;
  }

  run(user: number): Promise<unknown> | undefined {
    const index = this.#options.conversations.take(user);
    return index < 0 ? undefined : this.#append(index);
  }

  async verify(ledger: StoreLedger): Promise<void> {
    const { withLists, lists, ...parts } = this.#options;
    ledger.sent += this.#acked + this.#refused + this.#undecided;
    ledger.acked += this.#acked;
    ledger.refused += this.#refused;
    ledger.undecided += this.#undecided;
    await readBack({ ...parts, lists: withLists ? lists : undefined }, ledger);
  }

  async #append(index: number): Promise<void> {
    const { operations, conversations, log, withLists } = this.#options;
    const attempt = conversations.nextAttempt(index);
    const expect = conversations.headOf(index);
    const row = conversations.rowOf(index, attempt);
    const outcome = await operations
      .append({
        conversationId: conversations.idOf(index),
        bucket: Math.floor((row.seq - 1) / log.bucketRows),
        expect,
        opens: (row.seq - 1) % log.bucketRows === 0,
        rows: [row],
        membership: 0,
        lists: withLists ? this.#listWrites(index, row) : [],
      })
      .catch((error: unknown) => ({ error }));
    if (outcome === "appended") {
      this.#acked++;
      conversations.acked(index, attempt, row);
      conversations.release(index);
      return;
    }
    const isOpen = outcome === "undecided" || (typeof outcome === "object" && operations.rejected === "undecided");
    if (isOpen) {
      this.#undecided++;
      conversations.undecided(index, attempt);
    } else this.#refused++;
    // A conversation whose end the store does not tell is left alone: it stays busy.
    await this.#settle(index).then(
      () => conversations.release(index),
      () => {},
    );
    throw typeof outcome === "object" ? outcome.error : new WorkError(outcome);
  }

  async #settle(index: number): Promise<void> {
    const { conversations, log } = this.#options;
    const { head } = conversations.headOf(index);
    const newest = await log.newestBucket(conversations.idOf(index), head, "serial");
    if (newest !== undefined) conversations.settle(index, newest.head);
  }

  #listWrites(index: number, row: LogRow): readonly ListWrite[] {
    const { conversations } = this.#options;
    const [sender, recipient] = [conversations.member(index, 0), conversations.member(index, 1)];
    const conversationId = conversations.idOf(index);
    const last = { seq: row.seq, ucount: row.ucount, sender, at: row.sentAt };
    // Whoever writes in a talk has read what stands above: its read_seq goes along.
    const own = { ownSeq: row.seq, read: { seq: row.seq, ucount: row.ucount } };
    return [
      { userId: sender, conversationId, kind: "direct", peerId: recipient, last, ...own },
      { userId: recipient, conversationId, kind: "direct", peerId: sender, last },
    ];
  }
}
