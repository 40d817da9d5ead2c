import { bucketOf } from "../../core/model.ts";
import { checkAppend } from "../../core/check-append.ts";
import type { BucketPage, Consistency, MessageLog } from "../../core/ports/message-log.ts";
import type { LogHead } from "../../core/model.ts";
import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { AppendStrategy } from "./append-strategy.ts";
import { bigintCell, intCell, uuidCell } from "./cells.ts";
import { headOf, logRowOf, type RowCells } from "./log-cells.ts";
import { findNewestBucket } from "./newest-bucket.ts";
import { createPaxosAppend } from "./paxos-append.ts";
import type { CassandraSession } from "./session.ts";
import { writeSideRows } from "./side-rows.ts";

/** A statement of its own: a range without rows would not show the statics. */
const selectHead = `
  SELECT DISTINCT head, head_ucount, head_at, membership FROM messages WHERE conversation_id = ? AND bucket = ?`;

const selectRows = `
  SELECT seq, message_id, sender_id, sender_device, sent_at, kind, visibility, ucount, media_id, envelope,
    head, head_ucount, head_at, membership
  FROM messages WHERE conversation_id = ? AND bucket = ? AND seq >= ? AND seq <= ? LIMIT ?`;

export interface MessageLogOptions {
  /** Default: paxos. */
  readonly strategy?: AppendStrategy;
  /** Default: limits.bucketRows. Data is read with the number that it was written with. */
  readonly bucketRows?: number;
}

/** The log in Cassandra, with the list rows and receipts that belong to an append. */
export function createCassandraMessageLog(session: CassandraSession, options: MessageLogOptions = {}): MessageLog {
  const { strategy = createPaxosAppend(session), bucketRows = limits.bucketRows } = options;

  async function readHead(
    conversationId: Uuid,
    bucket: number,
    consistency: Consistency,
  ): Promise<LogHead | undefined> {
    const params = [uuidCell(conversationId), intCell(bucket)];
    const [row] = await session.read({ query: selectHead, params }, consistency);
    return row === undefined ? undefined : headOf(row);
  }

  return {
    bucketRows,

    newestBucket(conversationId, hintSeq, consistency) {
      const hintBucket = hintSeq < 1 ? 0 : bucketOf(hintSeq, bucketRows);
      return findNewestBucket((bucket) => readHead(conversationId, bucket, consistency), bucketRows, hintBucket);
    },

    async readBucket(conversationId, bucket, fromSeq, toSeq, rowsMax, consistency): Promise<BucketPage> {
      const from = Math.max(fromSeq, bucket * bucketRows + 1);
      const to = Math.min(toSeq, (bucket + 1) * bucketRows);
      if (from <= to && rowsMax >= 1) {
        const count = Math.min(rowsMax, bucketRows);
        const params = [uuidCell(conversationId), intCell(bucket), bigintCell(from), bigintCell(to), intCell(count)];
        const found = await session.read({ query: selectRows, params }, consistency);
        const cells = found as unknown as readonly RowCells[];
        const [first] = cells;
        // The statics stand beside every row, as they were when the rows were read.
        if (first !== undefined) return { head: headOf(first), rows: cells.map(logRowOf) };
      }
      return { head: await readHead(conversationId, bucket, consistency), rows: [] };
    },

    async append(request) {
      checkAppend(request, bucketRows);
      const answer = await strategy.append(request);
      if (answer.outcome !== "appended") return answer;
      try {
        await writeSideRows(session, request.lists, request.receipts, "ends");
      } catch {
        // The rows stand in the log: only a repeat, which writes the list rows again, may say that all is done.
        return { outcome: "undecided" };
      }
      return answer;
    },

    async writeLists(writes) {
      await writeSideRows(session, writes, undefined, "begins");
    },
  };
}
