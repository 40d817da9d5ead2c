import type { Uuid } from "../../protocol/ids.ts";
import type { LogRow, Visibility } from "../model.ts";

/** What a repeat is answered with. */
export interface RecentRow {
  readonly seq: number;
  readonly messageId: Uuid;
  readonly senderId: Uuid;
  readonly sentAt: number;
  readonly ucount: number;
  readonly visibility: Visibility;
  /** Whether its list rows are known to be durable: true for what this lane appended itself. */
  readonly listed: boolean;
}

/**
 * The ids of the last rows of one log, without a hole and ending at the head that the lane knows: own appends that
 * resolved, and rows that a complete proof has read. Rows never change, so it proves what is *not* in the log as well as
 * a read does. They say themselves where they end: a head that was learned elsewhere makes them worthless.
 */
export class RecentRows {
  #rows: RecentRow[] = [];

  /** First seq that the rows cover; Infinity when there are none. */
  get firstSeq(): number {
    return this.#rows[0]?.seq ?? Infinity;
  }

  /** Whether every row of [fromSeq, head] is here. */
  covers(fromSeq: number, head: number): boolean {
    return fromSeq >= this.firstSeq && this.#rows[this.#rows.length - 1]?.seq === head;
  }

  /** Among the rows from `fromSeq` on, which must be covered. */
  find(fromSeq: number, messageId: Uuid): RecentRow | undefined {
    for (let index = fromSeq - this.firstSeq; index < this.#rows.length; index++) {
      const row = this.#rows[index] as RecentRow;
      if (row.messageId === messageId) return row;
    }
    return undefined;
  }

  senderAt(seq: number): Uuid | undefined {
    return this.#rows[seq - this.firstSeq]?.senderId;
  }

  /** Appended by this lane at the end of the log. */
  append(row: LogRow): void {
    const { seq, messageId, senderId, sentAt, ucount, visibility } = row;
    if (this.#rows.length > 0 && this.#rows[this.#rows.length - 1]?.seq !== seq - 1) this.#rows = [];
    this.#rows.push({ seq, messageId, senderId, sentAt, ucount, visibility, listed: true });
    this.trim(RecentRows.busyRowsMax);
  }

  /** Read by a complete proof; ascending, ending at the head. Rows that are known already keep what is known of them. */
  extendDown(rows: readonly RecentRow[]): void {
    const head = rows[rows.length - 1]?.seq;
    if (head === undefined) return;
    if (this.#rows[this.#rows.length - 1]?.seq !== head) this.#rows = [];
    this.#rows = [...rows.filter((row) => row.seq < this.firstSeq), ...this.#rows];
  }

  /** Keeps the last `rowsMax`; only once there are twice as many, so that it costs nothing per row. */
  trim(rowsMax: number): void {
    if (this.#rows.length >= 2 * rowsMax) this.#rows = this.#rows.slice(-rowsMax);
  }

  /** While sends wait, enough for a client that sends a thousand messages ahead of its acks; afterwards, for a chat. */
  static readonly busyRowsMax = 1_024;
  static readonly idleRowsMax = 64;
}
