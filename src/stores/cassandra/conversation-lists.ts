import type { ListRow } from "../../core/model.ts";
import type { ConversationLists } from "../../core/ports/conversation-lists.ts";
import { numberOf, uuidCell, uuidOf, type Int64, type UuidObject } from "./cells.ts";
import { kindNumbers } from "./list-statements.ts";
import type { CassandraSession, ResultRow } from "./session.ts";
import { writeSideRows } from "./side-rows.ts";

const columns = `conversation_id, kind, peer_id, membership_seq, joined_seq, left_seq, left_ucount, last_seq, last_ucount,
    last_sender, last_at, own_seq, recv_seq, read_seq, read_ucount, peer_recv_seq, peer_read_seq, cleared_seq, checked_seq`;

const selectAll = `
  SELECT ${columns}
  FROM conversations_by_user WHERE user_id = ?`;

const selectOne = `
  SELECT ${columns}
  FROM conversations_by_user WHERE user_id = ? AND conversation_id = ?`;

/** A row of `conversations_by_user` as the driver gives it; null = never written. */
interface ListCells {
  readonly conversation_id: UuidObject;
  readonly kind: number | null;
  readonly peer_id: UuidObject | null;
  readonly membership_seq: Int64 | null;
  readonly joined_seq: Int64 | null;
  readonly left_seq: Int64 | null;
  readonly left_ucount: Int64 | null;
  readonly last_seq: Int64 | null;
  readonly last_ucount: Int64 | null;
  readonly last_sender: UuidObject | null;
  readonly last_at: Date | null;
  readonly own_seq: Int64 | null;
  readonly recv_seq: Int64 | null;
  readonly read_seq: Int64 | null;
  readonly read_ucount: Int64 | null;
  readonly peer_recv_seq: Int64 | null;
  readonly peer_read_seq: Int64 | null;
  readonly cleared_seq: Int64 | null;
  readonly checked_seq: Int64 | null;
}

/** List rows in Cassandra: the rows of a user are one partition. */
export function createCassandraConversationLists(session: CassandraSession): ConversationLists {
  return {
    async all(userId) {
      const rows = await session.readAll({ query: selectAll, params: [uuidCell(userId)] });
      return rows.flatMap((row) => listRowOf(row) ?? []);
    },

    async one(userId, conversationId) {
      const params = [uuidCell(userId), uuidCell(conversationId)];
      const [row] = await session.read({ query: selectOne, params }, "latest");
      return row && listRowOf(row);
    },

    async write(writes) {
      await writeSideRows(session, writes, undefined, "begins");
    },
  };
}

/** undefined: nothing listed the conversation, or joined the user to it; only receipts came by. */
function listRowOf(row: ResultRow): ListRow | undefined {
  const cells = row as unknown as ListCells;
  if (cells.last_seq === null && cells.membership_seq === null) return undefined;
  const kind = cells.kind === kindNumbers.direct ? "direct" : "group";
  return {
    conversationId: uuidOf(cells.conversation_id),
    kind,
    ...(cells.peer_id === null ? {} : { peerId: uuidOf(cells.peer_id) }),
    // Both of a direct chat may read from the first row on; no change of membership says so.
    joinedSeq: cells.joined_seq === null && kind === "direct" ? 1 : numberOf(cells.joined_seq),
    leftSeq: numberOf(cells.left_seq),
    leftUcount: numberOf(cells.left_ucount),
    membershipSeq: numberOf(cells.membership_seq),
    lastSeq: numberOf(cells.last_seq),
    lastUcount: numberOf(cells.last_ucount),
    ...(cells.last_sender === null ? {} : { lastSender: uuidOf(cells.last_sender) }),
    lastAt: cells.last_at === null ? 0 : cells.last_at.getTime(),
    ownSeq: numberOf(cells.own_seq),
    recvSeq: numberOf(cells.recv_seq),
    readSeq: numberOf(cells.read_seq),
    readUcount: numberOf(cells.read_ucount),
    peerRecvSeq: numberOf(cells.peer_recv_seq),
    peerReadSeq: numberOf(cells.peer_read_seq),
    clearedSeq: numberOf(cells.cleared_seq),
    checkedSeq: numberOf(cells.checked_seq),
  };
}
