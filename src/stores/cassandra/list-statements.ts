import type { ListWrite } from "../../core/model.ts";
import { bigintCell, tinyintCell, uuidCell, type Cell } from "./cells.ts";
import { registerTimestamp } from "./registers.ts";
import type { Statement } from "./session.ts";

/** For any combination of cells: those that are not set stay as they are. What every message needs has its own, below. */
const moveRegisters = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?, own_seq = ?, recv_seq = ?, read_seq = ?, read_ucount = ?,
    peer_recv_seq = ?, peer_read_seq = ?, membership_seq = ?, joined_seq = ?, left_seq = ?, left_ucount = ?,
    cleared_seq = ?, checked_seq = ?
  WHERE user_id = ? AND conversation_id = ?`;

/** What most writes are: a row that someone else wrote. */
const moveLast = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?
  WHERE user_id = ? AND conversation_id = ?`;

/** The row of the one who wrote: the row is the last, the highest own one, and read. */
const moveSent = `
  UPDATE conversations_by_user USING TIMESTAMP ? SET kind = ?, peer_id = ?,
    last_seq = ?, last_ucount = ?, last_sender = ?, last_at = ?, own_seq = ?, read_seq = ?, read_ucount = ?
  WHERE user_id = ? AND conversation_id = ?`;

export const kindNumbers = { direct: 1, group: 2 } as const;

const kindCells = { direct: tinyintCell(kindNumbers.direct), group: tinyintCell(kindNumbers.group) } as const;

/** Places of the values in `moveRegisters`. */
const at = {
  timestamp: 0,
  kind: 1,
  peerId: 2,
  lastSeq: 3,
  lastUcount: 4,
  lastSender: 5,
  lastAt: 6,
  ownSeq: 7,
  recvSeq: 8,
  readSeq: 9,
  readUcount: 10,
  peerRecvSeq: 11,
  peerReadSeq: 12,
  membershipSeq: 13,
  joinedSeq: 14,
  leftSeq: 15,
  leftUcount: 16,
  clearedSeq: 17,
  checkedSeq: 18,
  userId: 19,
  conversationId: 20,
} as const;

/**
 * The statements of one write, all on one row: one for each seq that drives some of its cells. An ordinary message takes one
 * for each member.
 */
export function listStatements(write: ListWrite): readonly Statement[] {
  const { last } = write;
  if (last !== undefined && hasNoOther(write)) {
    if (write.ownSeq === undefined && write.read === undefined) return [lastStatement(write, last)];
    if (isDrivenBy(write, last.seq)) return [sentStatement(write, last, bigintCell(last.seq))];
  }
  const bySeq = new Map<number, Cell[]>();
  const user = uuidCell(write.userId);
  const conversation = uuidCell(write.conversationId);

  /** The values of the statement that `seq` drives. */
  const drivenBy = (seq: number): Cell[] => {
    let params = bySeq.get(seq);
    if (params === undefined) {
      params = Array.from<Cell>({ length: at.conversationId + 1 });
      params[at.timestamp] = registerTimestamp(seq);
      params[at.userId] = user;
      params[at.conversationId] = conversation;
      bySeq.set(seq, params);
    }
    return params;
  };
  const setSeq = (place: number, seq: number | undefined): void => {
    if (seq !== undefined) drivenBy(seq)[place] = bigintCell(seq);
  };
  setGroups(write, drivenBy);
  setSeq(at.ownSeq, write.ownSeq);
  setSeq(at.recvSeq, write.recvSeq);
  setSeq(at.peerRecvSeq, write.peerRecvSeq);
  setSeq(at.peerReadSeq, write.peerReadSeq);
  setSeq(at.clearedSeq, write.clearedSeq);
  setSeq(at.checkedSeq, write.checkedSeq);
  return [...bySeq.values()].map((params) => ({ query: moveRegisters, params }));
}

/** Cells that one seq sets together. */
function setGroups(write: ListWrite, drivenBy: (seq: number) => Cell[]): void {
  const { last, read, membership } = write;
  if (last !== undefined) {
    const params = drivenBy(last.seq);
    setIdentity(params, write);
    params[at.lastSeq] = bigintCell(last.seq);
    params[at.lastUcount] = bigintCell(last.ucount);
    params[at.lastSender] = uuidCell(last.sender);
    params[at.lastAt] = bigintCell(last.at);
  }
  if (read !== undefined) {
    const params = drivenBy(read.seq);
    params[at.readSeq] = bigintCell(read.seq);
    params[at.readUcount] = bigintCell(read.ucount);
  }
  if (membership !== undefined) {
    const params = drivenBy(membership.seq);
    setIdentity(params, write);
    params[at.membershipSeq] = bigintCell(membership.seq);
    params[at.joinedSeq] = bigintCell(membership.joinedSeq);
    params[at.leftSeq] = bigintCell(membership.leftSeq);
    params[at.leftUcount] = bigintCell(membership.leftUcount);
  }
}

/** What makes the row one of a conversation: only with cells that may create it. */
function setIdentity(params: Cell[], { kind, peerId }: ListWrite): void {
  params[at.kind] = kindCells[kind];
  if (peerId !== undefined) params[at.peerId] = uuidCell(peerId);
}

/** Than what a message sets in the row of its sender and those of others. */
function hasNoOther(write: ListWrite): boolean {
  return (
    write.recvSeq === undefined &&
    write.peerRecvSeq === undefined &&
    write.peerReadSeq === undefined &&
    write.membership === undefined &&
    write.clearedSeq === undefined &&
    write.checkedSeq === undefined
  );
}

function isDrivenBy({ ownSeq, read }: ListWrite, seq: number): boolean {
  return (ownSeq === undefined || ownSeq === seq) && (read === undefined || read.seq === seq);
}

function lastStatement(write: ListWrite, last: NonNullable<ListWrite["last"]>): Statement {
  const params: Cell[] = [
    registerTimestamp(last.seq),
    kindCells[write.kind],
    write.peerId === undefined ? undefined : uuidCell(write.peerId),
    bigintCell(last.seq),
    bigintCell(last.ucount),
    uuidCell(last.sender),
    bigintCell(last.at),
    uuidCell(write.userId),
    uuidCell(write.conversationId),
  ];
  return { query: moveLast, params };
}

function sentStatement(write: ListWrite, last: NonNullable<ListWrite["last"]>, seq: Buffer): Statement {
  const { ownSeq, read } = write;
  const params: Cell[] = [
    registerTimestamp(last.seq),
    kindCells[write.kind],
    write.peerId === undefined ? undefined : uuidCell(write.peerId),
    seq,
    bigintCell(last.ucount),
    uuidCell(last.sender),
    bigintCell(last.at),
    ownSeq === undefined ? undefined : seq,
    read === undefined ? undefined : seq,
    read === undefined ? undefined : bigintCell(read.ucount),
    uuidCell(write.userId),
    uuidCell(write.conversationId),
  ];
  return { query: moveSent, params };
}
