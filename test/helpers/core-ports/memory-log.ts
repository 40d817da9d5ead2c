import { assert } from "../../../src/base/assert.ts";
import { bucketOf, type ListWrite, type LogHead, type LogRow } from "../../../src/core/model.ts";
import type {
  AppendOutcome,
  AppendRequest,
  BucketPage,
  Consistency,
  MessageLog,
} from "../../../src/core/ports/message-log.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import type { MemoryLists } from "./memory-lists.ts";
import type { MemoryReceipts } from "./memory-receipts.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

interface Bucket {
  head: LogHead;
  readonly rows: LogRow[];
}

interface Conversation {
  readonly buckets: Map<number, Bucket>;
  /** Appends whose callers were told `undecided` and that may still happen. */
  late: AppendRequest[];
}

/**
 * The log as a store with conditional single-partition batches keeps it (storage.md): it checks what such a store checks
 * and no more, so that a core with a mistake can do damage here that it could do there. In particular a bucket opens
 * whatever the one before it holds.
 */
export class MemoryLog implements MessageLog {
  readonly bucketRows: number;
  weather: Weather;
  readonly #lists: MemoryLists;
  readonly #receipts: MemoryReceipts;
  readonly #conversations = new Map<Uuid, Conversation>();
  /** Counts for tests of what costs a read or a write. */
  readonly calls = { newestBucket: 0, readBucket: 0, serialReads: 0, append: 0, writeLists: 0 };

  constructor(lists: MemoryLists, receipts: MemoryReceipts, bucketRows: number, weather: Weather = fairWeather()) {
    this.#lists = lists;
    this.#receipts = receipts;
    this.bucketRows = bucketRows;
    this.weather = weather;
  }

  newestBucket(
    conversationId: Uuid,
    hintSeq: number,
    consistency: Consistency,
  ): Promise<{ readonly bucket: number; readonly head: LogHead } | undefined> {
    this.calls.newestBucket++;
    return under(this.weather, `log.newest.${consistency}`, () => {
      this.#settle(conversationId, consistency);
      const newest = this.#newest(conversationId);
      assert(hintSeq <= (newest?.head.head ?? 0), `hint ${hintSeq} is beyond the log of ${conversationId}`);
      return newest;
    });
  }

  readBucket(
    conversationId: Uuid,
    bucket: number,
    fromSeq: number,
    toSeq: number,
    rowsMax: number,
    consistency: Consistency,
  ): Promise<BucketPage> {
    this.calls.readBucket++;
    return under(this.weather, `log.read.${consistency}`, () => {
      this.#settle(conversationId, consistency);
      const found = this.#conversations.get(conversationId)?.buckets.get(bucket);
      if (found === undefined) return { head: undefined, rows: [] };
      const rows = found.rows.filter((row) => row.seq >= fromSeq && row.seq <= toSeq).toReversed();
      return { head: found.head, rows: rows.slice(0, rowsMax) };
    });
  }

  async append(request: AppendRequest): Promise<AppendOutcome> {
    this.calls.append++;
    this.#check(request);
    await this.weather.pause("log.append");
    const fate = this.weather.appendFate(request.conversationId);
    if (fate === "unavailable") throw new WireError("store_unavailable");
    if (fate === "full") throw new WireError("storage_full");
    const outcome = this.#meet(request, fate);
    await this.weather.pause("log.append");
    return outcome;
  }

  writeLists(writes: readonly ListWrite[]): Promise<void> {
    this.calls.writeLists++;
    return under(this.weather, "log.writeLists", () => this.#lists.apply(writes));
  }

  /** Lets every late append happen now, if its condition still holds. */
  settleLate(): void {
    for (const [conversationId, conversation] of this.#conversations) {
      const late = conversation.late;
      conversation.late = [];
      for (const request of late) if (this.#applies(request)) this.#apply(conversationId, request);
    }
  }

  /** Every row of a conversation, ascending: for checkers. */
  rowsOf(conversationId: Uuid): LogRow[] {
    const buckets = this.#conversations.get(conversationId)?.buckets ?? new Map<number, Bucket>();
    return [...buckets.entries()].sort(([one], [other]) => one - other).flatMap(([, bucket]) => bucket.rows);
  }

  headOf(conversationId: Uuid): LogHead | undefined {
    return this.#newest(conversationId)?.head;
  }

  conversationIds(): Uuid[] {
    return [...this.#conversations.keys()];
  }

  #meet(request: AppendRequest, fate: "calm" | "lost" | "applied" | "applied_in_part" | "late"): AppendOutcome {
    const { conversationId } = request;
    if (fate === "lost") return { outcome: "undecided" };
    if (fate === "late") {
      this.#conversation(conversationId).late.push(request);
      return { outcome: "undecided" };
    }
    if (!this.#applies(request)) {
      if (fate !== "calm") return { outcome: "undecided" };
      return {
        outcome: "conflict",
        actual: this.#conversations.get(conversationId)?.buckets.get(request.bucket)?.head,
      };
    }
    this.#apply(conversationId, request);
    if (fate !== "applied")
      this.#applySideRows(request, fate === "calm" ? () => true : () => this.weather.keepsWrite());
    return fate === "calm" ? { outcome: "appended" } : { outcome: "undecided" };
  }

  #applies(request: AppendRequest): boolean {
    const bucket = this.#conversations.get(request.conversationId)?.buckets.get(request.bucket);
    if (request.opens) return bucket === undefined;
    return bucket?.head.head === request.expect.head && bucket.head.membership === request.expect.membership;
  }

  #apply(conversationId: Uuid, request: AppendRequest): void {
    const last = request.rows.at(-1);
    assert(last !== undefined, "an append has a row");
    const head = { head: last.seq, headUcount: last.ucount, headAt: last.sentAt, membership: request.membership };
    const { buckets } = this.#conversation(conversationId);
    const bucket = buckets.get(request.bucket);
    if (bucket === undefined) {
      buckets.set(request.bucket, { head, rows: [...request.rows] });
      return;
    }
    bucket.head = head;
    bucket.rows.push(...request.rows);
  }

  /** In part: any of them may be missing, but own watermarks never stand without the rest. */
  #applySideRows({ lists, receipts = [] }: AppendRequest, keeps: () => boolean): void {
    const keptLists = lists.filter(keeps);
    const keptReceipts = receipts.filter(keeps);
    this.#receipts.apply(keptReceipts);
    const isOwn = (write: ListWrite): boolean => write.read !== undefined || write.recvSeq !== undefined;
    const others = (writes: readonly ListWrite[]): ListWrite[] => writes.filter((write) => !isOwn(write));
    this.#lists.apply(others(keptLists));
    const isWhole = others(keptLists).length === others(lists).length && keptReceipts.length === receipts.length;
    if (isWhole) this.#lists.apply(keptLists.filter(isOwn));
  }

  #settle(conversationId: Uuid, consistency: Consistency): void {
    if (consistency !== "serial") return;
    this.calls.serialReads++;
    const conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) return;
    const late = conversation.late;
    conversation.late = [];
    for (const request of late) {
      if (this.weather.settlesLate() && this.#applies(request)) this.#apply(conversationId, request);
    }
  }

  #newest(conversationId: Uuid): { readonly bucket: number; readonly head: LogHead } | undefined {
    let newest: { readonly bucket: number; readonly head: LogHead } | undefined;
    for (const [bucket, { head }] of this.#conversations.get(conversationId)?.buckets ?? []) {
      if (newest === undefined || bucket > newest.bucket) newest = { bucket, head };
    }
    return newest;
  }

  #conversation(conversationId: Uuid): Conversation {
    let conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) {
      this.#conversations.set(conversationId, (conversation = { buckets: new Map(), late: [] }));
    }
    return conversation;
  }

  /** What the contract of the port asks of its caller. */
  #check(request: AppendRequest): void {
    let { head, headUcount, headAt } = request.expect;
    for (const row of request.rows) {
      assert(row.seq === head + 1, `seq ${row.seq} after ${head}`);
      assert(row.ucount === headUcount || row.ucount === headUcount + 1, `ucount ${row.ucount} after ${headUcount}`);
      assert(row.sentAt >= headAt, `sent_at ${row.sentAt} after ${headAt}`);
      assert(bucketOf(row.seq, this.bucketRows) === request.bucket, `seq ${row.seq} in bucket ${request.bucket}`);
      ({ seq: head, ucount: headUcount, sentAt: headAt } = row);
    }
    const step = request.membership - request.expect.membership;
    assert(request.rows.length > 0 && (step === 0 || step === 1), "an append has rows and moves at most one version");
  }
}
