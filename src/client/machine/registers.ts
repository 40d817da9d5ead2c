import type { MessageRow, Registers } from "../../protocol/fields.ts";

/** What a conversation starts with before the server has told anything. */
export const unknownRegisters: Registers = {
  last_seq: 0,
  last_ucount: 0,
  last_at: 0,
  own_seq: 0,
  recv_seq: 0,
  read_seq: 0,
  read_ucount: 0,
  peer_recv_seq: 0,
  peer_read_seq: 0,
  joined_seq: 0,
  left_seq: 0,
  cleared_seq: 0,
};

/**
 * Registers only grow, and answers overtake each other: so each group of fields that one seq drives is taken from
 * whichever side has the higher seq. A membership is newer when its join is later or, for the same join, when it has
 * ended. Answers `current` itself when nothing moved.
 */
export function mergeRegisters(current: Registers, incoming: Registers): Registers {
  const last = incoming.last_seq > current.last_seq ? incoming : current;
  const read = isReadNewer(current, incoming) ? incoming : current;
  const member = isMembershipNewer(current, incoming) ? incoming : current;
  const merged: Registers = {
    last_seq: last.last_seq,
    last_ucount: last.last_ucount,
    last_at: last.last_at,
    own_seq: Math.max(current.own_seq, incoming.own_seq),
    recv_seq: Math.max(current.recv_seq, incoming.recv_seq),
    read_seq: read.read_seq,
    read_ucount: read.read_ucount,
    peer_recv_seq: Math.max(current.peer_recv_seq, incoming.peer_recv_seq),
    peer_read_seq: Math.max(current.peer_read_seq, incoming.peer_read_seq),
    joined_seq: member.joined_seq,
    left_seq: member.left_seq,
    cleared_seq: Math.max(current.cleared_seq, incoming.cleared_seq),
  };
  return isSame(current, merged) ? current : merged;
}

/** What a row by itself tells its reader. */
export function advanceByRow(current: Registers, row: MessageRow, own: boolean): Registers {
  const newest = row.seq > current.last_seq;
  if (!newest && !(own && row.seq > current.own_seq)) return current;
  return {
    ...current,
    last_seq: newest ? row.seq : current.last_seq,
    last_ucount: newest ? row.ucount : current.last_ucount,
    last_at: newest ? row.sent_at : current.last_at,
    own_seq: own ? Math.max(current.own_seq, row.seq) : current.own_seq,
  };
}

function isReadNewer(current: Registers, incoming: Registers): boolean {
  if (incoming.read_seq !== current.read_seq) return incoming.read_seq > current.read_seq;
  return incoming.read_ucount > current.read_ucount;
}

function isMembershipNewer(current: Registers, incoming: Registers): boolean {
  if (incoming.joined_seq !== current.joined_seq) return incoming.joined_seq > current.joined_seq;
  return incoming.left_seq > current.left_seq;
}

function isSame(one: Registers, other: Registers): boolean {
  return (
    one.last_seq === other.last_seq &&
    one.own_seq === other.own_seq &&
    one.recv_seq === other.recv_seq &&
    one.read_seq === other.read_seq &&
    one.read_ucount === other.read_ucount &&
    one.peer_recv_seq === other.peer_recv_seq &&
    one.peer_read_seq === other.peer_read_seq &&
    one.joined_seq === other.joined_seq &&
    one.left_seq === other.left_seq &&
    one.cleared_seq === other.cleared_seq
  );
}
