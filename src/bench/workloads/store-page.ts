import { mixBelow } from "../data/mix.ts";
import { eachOf } from "../driver/each-of.ts";
import { limits } from "../../protocol/limits.ts";
import type { StoreConversations } from "./store-conversations.ts";
import type { CassandraOperations, LogRow, MessageLog, PageEnds } from "./store-operations.ts";
import { WorkError, type StoreWork } from "./store-work.ts";

/** Conversations with a history, written once for all workloads that read them. */
export class StoreHistory {
  readonly conversations: StoreConversations;
  readonly #log: MessageLog;
  readonly #rows: number;
  #written: Promise<void> | undefined;

  /** `rows`: of each conversation. */
  constructor(conversations: StoreConversations, log: MessageLog, rows: number) {
    this.conversations = conversations;
    this.#log = log;
    this.#rows = rows;
  }

  get bucketRows(): number {
    return this.#log.bucketRows;
  }

  write(): Promise<void> {
    const indexes = Array.from({ length: this.conversations.count }, (_, index) => index);
    return (this.#written ??= eachOf(indexes, conversationsAtOnce, (index) => this.#writeOne(index)));
  }

  async #writeOne(index: number): Promise<void> {
    const { conversations } = this;
    for (let head = 0; head < this.#rows; { head } = conversations.headOf(index)) {
      const bucket = Math.floor(head / this.bucketRows);
      const end = Math.min(this.#rows, (bucket + 1) * this.bucketRows, head + limits.draftsPerAppendMax);
      const expect = conversations.headOf(index);
      const attempts = Array.from({ length: end - head }, () => conversations.nextAttempt(index));
      const first = conversations.rowOf(index, attempts[0] as number);
      const rows = attempts.map((attempt, at): LogRow => ({
        ...conversations.rowOf(index, attempt),
        seq: head + 1 + at,
        ucount: expect.headUcount + 1 + at,
        sentAt: first.sentAt,
      }));
      const opens = head === bucket * this.bucketRows;
      const request = {
        conversationId: conversations.idOf(index),
        bucket,
        expect,
        opens,
        rows,
        membership: 0,
        lists: [],
      };
      const { outcome } = await this.#log.append(request);
      if (outcome !== "appended") throw new Error(`the history could not be written: ${outcome}`);
      rows.forEach((row, at) => conversations.acked(index, attempts[at] as number, row));
    }
  }
}

const conversationsAtOnce = 8;

/** store.page: the rows below a seq anywhere in a conversation, from its bucket and, when that is short, the one before. */
export class PageWork implements StoreWork {
  readonly #operations: CassandraOperations;
  readonly #history: StoreHistory;
  readonly #limit: number;
  readonly #seed: number;
  readonly #shareCount: number;

  constructor(
    operations: CassandraOperations,
    history: StoreHistory,
    options: { readonly limit: number; readonly seed: number; readonly shareCount: number },
  ) {
    this.#operations = operations;
    this.#history = history;
    this.#limit = options.limit;
    this.#seed = options.seed;
    this.#shareCount = options.shareCount;
  }

  prepare(): Promise<void> {
    return this.#history.write();
  }

  async run(user: number, n: number): Promise<void> {
    const { conversations, bucketRows } = this.#history;
    const index = Math.floor(user / this.#shareCount);
    const toSeq = 1 + mixBelow(this.#seed, user, n, conversations.headOf(index).head);
    const id = conversations.idOf(index);
    const bucket = Math.floor((toSeq - 1) / bucketRows);
    const page = await this.#operations.page(id, bucket, bucket * bucketRows + 1, toSeq, this.#limit);
    const wanted = Math.min(this.#limit, toSeq);
    if (page.count === wanted) return check(page, toSeq, wanted);
    const rest = wanted - page.count;
    const before = bucket * bucketRows;
    if (bucket === 0 || page.count !== toSeq - before) throw new WorkError("page_with_hole");
    check(page, toSeq, page.count);
    check(await this.#operations.page(id, bucket - 1, before - bucketRows + 1, before, rest), before, rest);
  }
}

function check({ count, highestSeq, lowestSeq }: PageEnds, toSeq: number, wanted: number): void {
  const isWhole = count === wanted && highestSeq === toSeq && lowestSeq === toSeq - wanted + 1;
  if (!isWhole) throw new WorkError("page_with_hole");
}
