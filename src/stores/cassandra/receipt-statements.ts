import type { ReceiptWrite } from "../../core/ports/receipts.ts";
import { bigintCell, uuidCell, type Cell } from "./cells.ts";
import { registerTimestamp, reversedTime } from "./registers.ts";
import type { Statement } from "./session.ts";

const moveReceipt = `
  UPDATE receipts USING TIMESTAMP ? SET recv_seq = ?, recv_at_reversed = ?, read_seq = ?, read_at_reversed = ?
  WHERE conversation_id = ? AND user_id = ?`;

type Watermark = ReceiptWrite["recv"];

/** One statement if one seq drives both watermarks, else one for each. */
export function receiptStatements({ conversationId, userId, recv, read }: ReceiptWrite): readonly Statement[] {
  const key = [uuidCell(conversationId), uuidCell(userId)];
  const statement = (seq: number, received: Watermark, seen: Watermark): Statement => ({
    query: moveReceipt,
    params: [registerTimestamp(seq), ...watermarkCells(received), ...watermarkCells(seen), ...key],
  });
  if (recv !== undefined && read !== undefined && recv.seq === read.seq) return [statement(recv.seq, recv, read)];
  const statements: Statement[] = [];
  if (recv !== undefined) statements.push(statement(recv.seq, recv, undefined));
  if (read !== undefined) statements.push(statement(read.seq, undefined, read));
  return statements;
}

function watermarkCells(watermark: Watermark): readonly Cell[] {
  return watermark === undefined ? [undefined, undefined] : [bigintCell(watermark.seq), reversedTime(watermark.at)];
}
