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
const openBucket = `
  INSERT INTO messages (conversation_id, bucket, head, head_ucount, head_at, membership)
  VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS`;

const moveHead = `
  UPDATE messages SET head = ?, head_ucount = ?, head_at = ?, membership = ?
  WHERE conversation_id = ? AND bucket = ? IF head = ? AND membership = ?`;

const insertRow = `
  INSERT INTO messages (conversation_id, bucket, seq, message_id, sender_id, sender_device, sent_at, kind, visibility,
    ucount, media_id, envelope)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const moveLast = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?
  WHERE user_id = ? AND conversation_id = ?`;

/** The row of the sender: last, highest own one, and read. */
const moveSent = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?, own_seq = ?, read_seq = ?, read_ucount = ?
  WHERE user_id = ? AND conversation_id = ?`;

const selectRows = `
  SELECT seq, message_id, sender_id, sender_device, sent_at, kind, visibility, ucount, media_id, envelope,
    head, head_ucount, head_at, membership
  FROM messages WHERE conversation_id = ? AND bucket = ? AND seq >= ? AND seq <= ? LIMIT ?`;

const direct = tinyintCell(1);

export function createBareOperations(client: BareCassandra): CassandraOperations {
  const raise: CassandraOperations["raise"] = ({ userId, conversationId, peerId, last, ownSeq, read }) => {
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
    if (ownSeq === undefined || read === undefined) return client.execute(moveLast, [...params, ...key]);
    const own = [bigintCell(ownSeq), bigintCell(read.seq), bigintCell(read.ucount)];
    return client.execute(moveSent, [...params, ...own, ...key]);
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
      // In the adapter's order: where a reader stands is written after what it implies for others.
      for (const list of lists) if (list.read === undefined) await raise(list);
      for (const list of lists) if (list.read !== undefined) await raise(list);
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
