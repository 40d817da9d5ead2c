import type { BareCassandra } from "../../stores/cassandra/bare-client.ts";
import {
  bigintCell,
  blobCell,
  intCell,
  numberOf,
  tinyintCell,
  uuidCell,
  type Cell,
  type Int64,
} from "../../stores/cassandra/cells.ts";
import { registerTimestamp } from "../../stores/cassandra/registers.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { CassandraOperations, LogRow } from "./store-operations.ts";

/**
 * The statements of the adapters, given to the driver by hand: the ceiling that the adapters are measured against. Values
 * are encoded as ours are, so that the ceiling is not lower than it has to be. A test keeps the texts equal to those that
 * the adapters send.
 */
export const openBucket = `
  INSERT INTO messages (conversation_id, bucket, head, head_ucount, head_at, membership)
  VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS`;

export const moveHead = `
  UPDATE messages SET head = ?, head_ucount = ?, head_at = ?, membership = ?
  WHERE conversation_id = ? AND bucket = ? IF head = ? AND membership = ?`;

export const insertRow = `
  INSERT INTO messages (conversation_id, bucket, seq, message_id, sender_id, sender_device, sent_at, kind, visibility,
    ucount, media_id, envelope)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const moveLast = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?
  WHERE user_id = ? AND conversation_id = ?`;

/** What the sender's own list row takes; cells without a value stay as they are. */
export const moveRegisters = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?, own_seq = ?, recv_seq = ?, read_seq = ?, read_ucount = ?,
    peer_recv_seq = ?, peer_read_seq = ?, membership_seq = ?, joined_seq = ?, left_seq = ?, left_ucount = ?,
    cleared_seq = ?, checked_seq = ?
  WHERE user_id = ? AND conversation_id = ?`;

export const selectRows = `
  SELECT seq, message_id, sender_id, sender_device, sent_at, kind, visibility, ucount, media_id, envelope,
    head, head_ucount, head_at, membership
  FROM messages WHERE conversation_id = ? AND bucket = ? AND seq >= ? AND seq <= ? LIMIT ?`;

const direct = tinyintCell(1);
/** recv_seq … checked_seq of `moveRegisters`. */
const unsetCells: readonly Cell[] = Array.from({ length: 11 });

export function createBareOperations(client: BareCassandra): CassandraOperations {
  const raise: CassandraOperations["raise"] = ({ userId, conversationId, peerId, last, ownSeq }) => {
    if (last === undefined) return Promise.resolve();
    const key = [uuidCell(userId), uuidCell(conversationId)];
    const params: readonly Cell[] = [
      registerTimestamp(last.seq),
      direct,
      peerId === undefined ? undefined : uuidCell(peerId),
      bigintCell(last.seq),
      bigintCell(last.ucount),
      uuidCell(last.sender),
      bigintCell(last.at),
    ];
    if (ownSeq === undefined) return client.execute(moveLast, [...params, ...key]);
    return client.execute(moveRegisters, [...params, bigintCell(ownSeq), ...unsetCells, ...key]);
  };
  return {
    rejected: "undecided",
    async append({ conversationId, bucket, expect, opens, rows, membership, lists }) {
      const [row] = rows;
      if (row === undefined) return "conflict";
      const key = [uuidCell(conversationId), intCell(bucket)];
      const head = [bigintCell(row.seq), bigintCell(row.ucount), bigintCell(row.sentAt), intCell(membership)];
      const condition = [bigintCell(expect.head), intCell(expect.membership)];
      const answer = await client.batchIf([
        opens
          ? { query: openBucket, params: [...key, ...head] }
          : { query: moveHead, params: [...head, ...key, ...condition] },
        { query: insertRow, params: rowParams(key, row) },
      ]);
      if (answer?.["[applied]"] !== true) return "conflict";
      if (lists.length > 0) await Promise.all(lists.map(raise));
      return "appended";
    },
    raise,
    async page(conversationId, bucket, fromSeq, toSeq, rowsMax) {
      const range = [bigintCell(fromSeq), bigintCell(toSeq), intCell(rowsMax)];
      const rows = await client.execute(selectRows, [uuidCell(conversationId), intCell(bucket), ...range]);
      const seqOf = (row: (typeof rows)[number] | undefined): number =>
        row === undefined ? 0 : numberOf(row["seq"] as Int64);
      return { count: rows.length, highestSeq: seqOf(rows[0]), lowestSeq: seqOf(rows.at(-1)) };
    },
  };
}

/** The row of an append without the condition. */
export async function insertPlainRow(
  client: BareCassandra,
  conversationId: Uuid,
  bucket: number,
  row: LogRow,
): Promise<void> {
  await client.execute(insertRow, rowParams([uuidCell(conversationId), intCell(bucket)], row));
}

function rowParams(key: readonly Cell[], row: LogRow): readonly Cell[] {
  return [
    ...key,
    bigintCell(row.seq),
    uuidCell(row.messageId),
    uuidCell(row.senderId),
    intCell(row.senderDevice),
    bigintCell(row.sentAt),
    tinyintCell(row.kind),
    tinyintCell(row.visibility),
    bigintCell(row.ucount),
    undefined,
    blobCell(row.envelope),
  ];
}
