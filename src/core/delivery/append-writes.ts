import type { Uuid } from "../../protocol/ids.ts";
import type { Caller } from "../api.ts";
import type { ListWrite, LogRow } from "../model.ts";
import { peerOf, type Peers } from "./peers.ts";

/** Where a sender's read_seq goes with an append. */
export interface ReadMove {
  readonly seq: number;
  readonly ucount: number;
}

/** Rows of others that a sender had in view: what a READ_RECEIPT up to `seq` would say. See viewed-rows.ts. */
export interface ViewedRows {
  readonly caller: Caller;
  /** read_seq before the send. */
  readonly above: number;
  /** The head before the append: what follows in it are own rows, and no news to anybody else. */
  readonly seq: number;
  /** Whether others may know; read before the append. */
  shared: boolean;
}

/**
 * List writes of one append, built without a map: this runs for every message. Rows ascend, each write stands for all of
 * them. `reads`: by sender, undefined when nobody's read_seq moves.
 */
export function directWrites(
  conversationId: Uuid,
  peers: Peers,
  rows: readonly LogRow[],
  reads: ReadonlyMap<Uuid, ReadMove> | undefined,
): ListWrite[] {
  const writes: ListWrite[] = [];
  for (const userId of peers.userIds) {
    let last: LogRow | undefined;
    let ownSeq = 0;
    for (let index = rows.length - 1; index >= 0; index--) {
      const row = rows[index] as LogRow;
      const own = row.senderId === userId;
      if (last === undefined && (own || row.visibility === 0)) last = row;
      if (ownSeq === 0 && own) ownSeq = row.seq;
    }
    if (last === undefined) continue;
    const write = {
      userId,
      conversationId,
      kind: "direct" as const,
      peerId: peerOf(peers, userId),
      last: { seq: last.seq, ucount: last.ucount, sender: last.senderId, at: last.sentAt },
    };
    writes.push(ownSeq === 0 ? write : withOwn(write, ownSeq, reads?.get(userId)));
  }
  return writes;
}

/** As directWrites, for a group, where everyone sees every row. */
export function groupWrites(
  conversationId: Uuid,
  userIds: readonly Uuid[],
  rows: readonly LogRow[],
  reads: ReadonlyMap<Uuid, ReadMove> | undefined,
): ListWrite[] {
  const top = rows[rows.length - 1] as LogRow;
  const last = { seq: top.seq, ucount: top.ucount, sender: top.senderId, at: top.sentAt };
  const owns = new Map<Uuid, number>();
  for (const row of rows) owns.set(row.senderId, row.seq);
  return userIds.map((userId) => {
    const write = { userId, conversationId, kind: "group" as const, last };
    const ownSeq = owns.get(userId);
    return ownSeq === undefined ? write : withOwn(write, ownSeq, reads?.get(userId));
  });
}

function withOwn(write: ListWrite, ownSeq: number, read: ReadMove | undefined): ListWrite {
  return read === undefined ? { ...write, ownSeq } : { ...write, ownSeq, read };
}
