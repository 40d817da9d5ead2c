import type { ReceiptRow } from "../../core/model.ts";
import type { Receipts, ReceiptWrite } from "../../core/ports/receipts.ts";
import { numberOf, uuidCell, uuidOf, type Int64, type UuidObject } from "./cells.ts";
import { ReceiptBatches } from "./receipt-batches.ts";
import { timeOfReversed } from "./registers.ts";
import type { CassandraSession, ResultRow } from "./session.ts";
import { allOf, inWaves, writePartitions } from "./side-rows.ts";

const selectAll = `
  SELECT user_id, recv_seq, recv_at_reversed, read_seq, read_at_reversed
  FROM receipts WHERE conversation_id = ?`;

const selectOne = `
  SELECT user_id, recv_seq, recv_at_reversed, read_seq, read_at_reversed
  FROM receipts WHERE conversation_id = ? AND user_id = ?`;

interface ReceiptCells {
  readonly user_id: UuidObject;
  readonly recv_seq: Int64 | null;
  readonly recv_at_reversed: Int64 | null;
  readonly read_seq: Int64 | null;
  readonly read_at_reversed: Int64 | null;
}

/** Watermarks in Cassandra: the members of a conversation are one partition, at most a group's bound of rows. */
export function createCassandraReceipts(session: CassandraSession): Receipts {
  const batches = new ReceiptBatches(session);
  const writeAll = (writes: readonly ReceiptWrite[]): Promise<void>[] => writes.map((write) => batches.write(write));
  return {
    async write(writes) {
      await allOf(writeAll(writes));
    },

    async writeWithLists(writes, lists) {
      const { first, last } = inWaves(lists);
      await allOf([...writeAll(writes), writePartitions(session, first, "begins")]);
      await writePartitions(session, last, "begins");
    },

    async all(conversationId) {
      const rows = await session.readAll({ query: selectAll, params: [uuidCell(conversationId)] });
      return rows.map(receiptRowOf);
    },

    async one(conversationId, userId) {
      const params = [uuidCell(conversationId), uuidCell(userId)];
      const [row] = await session.read({ query: selectOne, params }, "latest");
      return row && receiptRowOf(row);
    },
  };
}

function receiptRowOf(row: ResultRow): ReceiptRow {
  const cells = row as unknown as ReceiptCells;
  return {
    userId: uuidOf(cells.user_id),
    recvSeq: numberOf(cells.recv_seq),
    recvAt: timeOfReversed(numberOf(cells.recv_at_reversed)),
    readSeq: numberOf(cells.read_seq),
    readAt: timeOfReversed(numberOf(cells.read_at_reversed)),
  };
}
