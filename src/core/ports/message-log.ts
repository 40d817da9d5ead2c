import type { Uuid } from "../../protocol/ids.ts";
import type { ListWrite, LogHead, LogRow } from "../model.ts";
import type { ReceiptWrite } from "./receipts.ts";

/**
 * How sure a read is. `latest`: sees every append that resolved before it began. `serial`: additionally settles every
 * append whose outcome is undecided, so that two serial reads never disagree about the past. A store with one writer
 * gives `serial` always.
 */
export type Consistency = "latest" | "serial";

export interface AppendRequest {
  readonly conversationId: Uuid;
  /** Bucket of every row. All rows of one append lie in one bucket. */
  readonly bucket: number;
  /** The end of the log as the caller knows it from this store. The append happens only if head and membership still hold. */
  readonly expect: LogHead;
  /** Whether `bucket` does not exist yet; it is then made, only if it still does not exist, with the statics of `expect`. */
  readonly opens: boolean;
  /** At least one; seqs expect.head + 1, + 2, … */
  readonly rows: readonly LogRow[];
  /** Membership version of the log afterwards: `expect.membership`, or one more when the row is a group change. */
  readonly membership: number;
  /** List rows that must be durable when the append resolves; own watermarks last, as in ConversationLists.write. */
  readonly lists: readonly ListWrite[];
  /** Watermarks that must be durable when the append resolves, and before any own watermark of `lists`; absent = none. */
  readonly receipts?: readonly ReceiptWrite[];
}

export type AppendOutcome =
  /** Rows, head, list rows and receipts are durable. */
  | { readonly outcome: "appended" }
  /** Nothing was written. `actual` is the end of that bucket, or undefined if the store did not say. */
  | { readonly outcome: "conflict"; readonly actual: LogHead | undefined }
  /** Time-out: rows may be there now or appear later, all or none; list rows and receipts may be missing. Only a serial read decides. */
  | { readonly outcome: "undecided" };

export interface BucketPage {
  /** Statics of the bucket; undefined = the bucket does not exist. */
  readonly head: LogHead | undefined;
  /** Descending seq. */
  readonly rows: readonly LogRow[];
}

/**
 * The log of every conversation: gapless, append-only, in buckets of a fixed number of rows (the last may be short).
 * A conversation that was never written has no bucket.
 *
 * Durability: what resolved as appended survives SIGKILL of any process and loss of power.
 * Errors: WireError `store_unavailable` (temporary; reads and appends before anything was sent to the store) and
 * `storage_full` (nothing was written). An append never rejects once its outcome is open: it answers `undecided`.
 * Order: appends to one conversation may be issued only one at a time by one caller; different callers race and all
 * but one conflict.
 */
export interface MessageLog {
  /** Rows a bucket holds; fixed for the life of the data. */
  readonly bucketRows: number;

  /**
   * Newest bucket and its statics, or undefined for a log without rows. `hintSeq`: a seq known to be in the log
   * (0 = none); only the cost depends on it.
   */
  newestBucket(
    conversationId: Uuid,
    hintSeq: number,
    consistency: Consistency,
  ): Promise<{ readonly bucket: number; readonly head: LogHead } | undefined>;

  /** Rows of one bucket with fromSeq ≤ seq ≤ toSeq, at most `rowsMax` of them, the highest first. */
  readBucket(
    conversationId: Uuid,
    bucket: number,
    fromSeq: number,
    toSeq: number,
    rowsMax: number,
    consistency: Consistency,
  ): Promise<BucketPage>;

  append(request: AppendRequest): Promise<AppendOutcome>;

  /** Applies list rows alone: repair after an append whose list rows may be missing. Idempotent, durable when it resolves. */
  writeLists(writes: readonly ListWrite[]): Promise<void>;
}
