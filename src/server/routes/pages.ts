import type { ReceiptsPage, RowPage } from "../../core/api.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";

/** Pages as frames and HTTP answers spell them. */
type PageFields = Omit<ServerFrameOf<"HISTORY_PAGE">, "type" | "request">;
type ReceiptsPageFields = Omit<ServerFrameOf<"RECEIPTS_PAGE">, "type" | "request">;

export function historyPageFields(conversationId: Uuid, page: RowPage): PageFields {
  return {
    conversation_id: conversationId,
    from: page.from,
    to: page.to,
    messages: page.messages as PageFields["messages"],
    unreadable: page.unreadable as PageFields["unreadable"],
    gone: page.gone as PageFields["gone"],
    has_more: page.hasMore,
  };
}

export function receiptsPageFields(conversationId: Uuid, page: ReceiptsPage): ReceiptsPageFields {
  return {
    conversation_id: conversationId,
    members: page.members.map((member) => ({
      user_id: member.userId,
      recv_seq: member.recvSeq,
      recv_at: member.recvAt,
      read_seq: member.readSeq,
      read_at: member.readAt,
      joined_seq: member.joinedSeq,
      left_seq: member.leftSeq,
    })),
    ...page.count,
  };
}
