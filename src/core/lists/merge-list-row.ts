import type { ListRow, ListWrite } from "../model.ts";

/**
 * The one definition of what a write does to a list row; every store and the simulator apply it. Each group of cells that
 * is set together is a max-register driven by one seq: the higher seq wins, and of two writes with the same seq the larger
 * value of each cell does, as it would in a store that resolves cells by (timestamp, value). Writes to a row that exists
 * therefore commute, repeat and group freely.
 *
 * A write with neither `last` nor `membership` makes no row: a receipt alone must not list a conversation. It is the one
 * thing that depends on order, and harmless: whoever sends a receipt has read a row, which was listed before it was shown.
 *
 * Answers `row` itself when the write changes nothing, so that a store may skip it.
 */
export function mergeListRow(row: ListRow | undefined, write: ListWrite): ListRow | undefined {
  if (row === undefined) {
    if (write.last === undefined && write.membership === undefined) return undefined;
    return merged(createRow(write), write);
  }
  return changes(row, write) ? merged(row, write) : row;
}

/** Direct chats have no membership changes: both may read from the first row on. */
function createRow(write: ListWrite): ListRow {
  return {
    conversationId: write.conversationId,
    kind: write.kind,
    ...(write.peerId === undefined ? {} : { peerId: write.peerId }),
    joinedSeq: write.kind === "direct" ? 1 : 0,
    leftSeq: 0,
    leftUcount: 0,
    membershipSeq: 0,
    lastSeq: 0,
    lastUcount: 0,
    lastAt: 0,
    ownSeq: 0,
    recvSeq: 0,
    readSeq: 0,
    readUcount: 0,
    peerRecvSeq: 0,
    peerReadSeq: 0,
    clearedSeq: 0,
    checkedSeq: 0,
  };
}

/** Whether any cell may move; a tie of driving seqs counts, since its values decide. */
function changes(row: ListRow, write: ListWrite): boolean {
  const { last, read, membership } = write;
  return (
    (last !== undefined && (last.seq > row.lastSeq || (last.seq === row.lastSeq && lastDiffers(row, last)))) ||
    (read !== undefined && (read.seq > row.readSeq || (read.seq === row.readSeq && read.ucount > row.readUcount))) ||
    (membership !== undefined &&
      (membership.seq > row.membershipSeq ||
        (membership.seq === row.membershipSeq && membershipDiffers(row, membership)))) ||
    (write.ownSeq ?? 0) > row.ownSeq ||
    (write.recvSeq ?? 0) > row.recvSeq ||
    (write.peerRecvSeq ?? 0) > row.peerRecvSeq ||
    (write.peerReadSeq ?? 0) > row.peerReadSeq ||
    (write.clearedSeq ?? 0) > row.clearedSeq ||
    (write.checkedSeq ?? 0) > row.checkedSeq ||
    (row.peerId === undefined && write.peerId !== undefined)
  );
}

function lastDiffers(row: ListRow, last: NonNullable<ListWrite["last"]>): boolean {
  return (
    last.ucount > row.lastUcount || last.at > row.lastAt || row.lastSender === undefined || last.sender > row.lastSender
  );
}

function membershipDiffers(row: ListRow, membership: NonNullable<ListWrite["membership"]>): boolean {
  return (
    membership.joinedSeq > row.joinedSeq || membership.leftSeq > row.leftSeq || membership.leftUcount > row.leftUcount
  );
}

/** Written out, not spread together: several are made for every message, and this takes a tenth of the time. */
function merged(row: ListRow, write: ListWrite): ListRow {
  const peerId = row.peerId ?? write.peerId;
  const { joinedSeq, leftSeq, leftUcount, membershipSeq } = mergedMembership(row, write.membership);
  const { lastSeq, lastUcount, lastAt, lastSender } = mergedLast(row, write.last);
  const { readSeq, readUcount } = mergedRead(row, write.read);
  const result: { -readonly [Field in keyof ListRow]: ListRow[Field] } = {
    conversationId: row.conversationId,
    kind: row.kind,
    joinedSeq,
    leftSeq,
    leftUcount,
    membershipSeq,
    lastSeq,
    lastUcount,
    lastAt,
    ownSeq: Math.max(row.ownSeq, write.ownSeq ?? 0),
    recvSeq: Math.max(row.recvSeq, write.recvSeq ?? 0),
    readSeq,
    readUcount,
    peerRecvSeq: Math.max(row.peerRecvSeq, write.peerRecvSeq ?? 0),
    peerReadSeq: Math.max(row.peerReadSeq, write.peerReadSeq ?? 0),
    clearedSeq: Math.max(row.clearedSeq, write.clearedSeq ?? 0),
    checkedSeq: Math.max(row.checkedSeq, write.checkedSeq ?? 0),
  };
  if (peerId !== undefined) result.peerId = peerId;
  if (lastSender !== undefined) result.lastSender = lastSender;
  return result;
}

type MembershipCells = Pick<ListRow, "joinedSeq" | "leftSeq" | "leftUcount" | "membershipSeq">;

function mergedMembership(row: ListRow, write: ListWrite["membership"]): MembershipCells {
  const { joinedSeq, leftSeq, leftUcount, membershipSeq } = row;
  if (write === undefined || write.seq < membershipSeq) return { joinedSeq, leftSeq, leftUcount, membershipSeq };
  if (write.seq > membershipSeq) {
    return {
      joinedSeq: write.joinedSeq,
      leftSeq: write.leftSeq,
      leftUcount: write.leftUcount,
      membershipSeq: write.seq,
    };
  }
  return {
    joinedSeq: Math.max(joinedSeq, write.joinedSeq),
    leftSeq: Math.max(leftSeq, write.leftSeq),
    leftUcount: Math.max(leftUcount, write.leftUcount),
    membershipSeq,
  };
}

type LastCells = Pick<ListRow, "lastSeq" | "lastUcount" | "lastAt" | "lastSender">;

function mergedLast(row: ListRow, write: ListWrite["last"]): LastCells {
  if (write === undefined || write.seq < row.lastSeq) return lastOf(row);
  if (write.seq > row.lastSeq || row.lastSender === undefined) {
    return { lastSeq: write.seq, lastUcount: write.ucount, lastSender: write.sender, lastAt: write.at };
  }
  return {
    lastSeq: row.lastSeq,
    lastUcount: Math.max(row.lastUcount, write.ucount),
    lastSender: row.lastSender > write.sender ? row.lastSender : write.sender,
    lastAt: Math.max(row.lastAt, write.at),
  };
}

function lastOf(row: ListRow): LastCells {
  const { lastSeq, lastUcount, lastAt, lastSender } = row;
  return lastSender === undefined ? { lastSeq, lastUcount, lastAt } : { lastSeq, lastUcount, lastAt, lastSender };
}

function mergedRead(row: ListRow, write: ListWrite["read"]): Pick<ListRow, "readSeq" | "readUcount"> {
  const { readSeq, readUcount } = row;
  if (write === undefined || write.seq < readSeq) return { readSeq, readUcount };
  if (write.seq > readSeq) return { readSeq: write.seq, readUcount: write.ucount };
  return { readSeq, readUcount: Math.max(readUcount, write.ucount) };
}
