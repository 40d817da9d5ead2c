import type { Registers } from "../../protocol/fields.ts";
import type { ListRow } from "../model.ts";

/**
 * A list row as its owner may see it. One who left sees the end of the own interval, whatever a late fan-out wrote past
 * it; the time of the last row is kept, since the removal itself is the last row that may be read.
 */
export function toRegisters(row: ListRow): Registers {
  const left = row.leftSeq > 0 && row.lastSeq >= row.leftSeq;
  return {
    last_seq: left ? row.leftSeq - 1 : row.lastSeq,
    last_ucount: left ? row.leftUcount : row.lastUcount,
    last_at: row.lastAt,
    own_seq: row.ownSeq,
    recv_seq: row.recvSeq,
    read_seq: row.readSeq,
    read_ucount: row.readUcount,
    peer_recv_seq: row.peerRecvSeq,
    peer_read_seq: row.peerReadSeq,
    joined_seq: row.joinedSeq,
    left_seq: row.leftSeq,
    cleared_seq: row.clearedSeq,
  };
}
