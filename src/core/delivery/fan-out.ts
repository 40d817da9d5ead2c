import type { Uuid } from "../../protocol/ids.ts";
import type { ListWrite, LogRow, MemberInterval } from "../model.ts";
import type { Groups } from "../ports/groups.ts";
import { peerOf, type Peers } from "./peers.ts";

/** Who may read which rows of a conversation. */
export type Readership =
  | { readonly kind: "direct"; readonly peers: Peers }
  | { readonly kind: "group"; readonly intervals: readonly MemberInterval[] };

export async function readReadership(
  groups: Groups,
  conversationId: Uuid,
  peers: Peers | undefined,
): Promise<Readership> {
  if (peers !== undefined) return { kind: "direct", peers };
  return { kind: "group", intervals: await groups.intervals(conversationId, undefined) };
}

/** Users who may read the row, each once. */
export function readersOf(
  readership: Readership,
  row: Pick<LogRow, "seq" | "visibility" | "senderId">,
): readonly Uuid[] {
  if (row.visibility === 1) return [row.senderId];
  if (readership.kind === "direct") return readership.peers.userIds;
  const readers: Uuid[] = [];
  for (const { userId, joinedSeq, leftSeq } of readership.intervals) {
    if (joinedSeq > 0 && row.seq >= joinedSeq && (leftSeq === 0 || row.seq < leftSeq)) readers.push(userId);
  }
  return readers;
}

type MutableWrite = { -readonly [K in keyof ListWrite]: ListWrite[K] };

/**
 * The list writes that rows of one conversation need, one a reader. Writes are registers, so that the highest row stands
 * for those before it. For repeats and repairs; the usual append builds its writes without a map (append-writes.ts).
 */
export class FanOut {
  readonly #writes = new Map<Uuid, MutableWrite>();
  readonly #conversationId: Uuid;
  readonly #readership: Readership;

  constructor(conversationId: Uuid, readership: Readership) {
    this.#conversationId = conversationId;
    this.#readership = readership;
  }

  /** Rows in any order. */
  add(row: LogRow): void {
    for (const userId of readersOf(this.#readership, row)) {
      const write = this.of(userId);
      if (write.last === undefined || write.last.seq < row.seq) {
        write.last = { seq: row.seq, ucount: row.ucount, sender: row.senderId, at: row.sentAt };
      }
      if (userId === row.senderId && (write.ownSeq ?? 0) < row.seq) write.ownSeq = row.seq;
    }
  }

  /** The write of one user, to add to it. */
  of(userId: Uuid): MutableWrite {
    let write = this.#writes.get(userId);
    if (write === undefined) {
      write = { userId, conversationId: this.#conversationId, kind: this.#readership.kind };
      if (this.#readership.kind === "direct") write.peerId = peerOf(this.#readership.peers, userId);
      this.#writes.set(userId, write);
    }
    return write;
  }

  get writes(): ListWrite[] {
    return [...this.#writes.values()];
  }
}
