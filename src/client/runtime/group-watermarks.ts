import type { Uuid } from "../../protocol/ids.ts";
import {
  countReceipts,
  groupMessageStatus,
  type MemberWatermarks,
  type MessageStatus,
  type ReceiptCount,
} from "../../protocol/receipt-math.ts";
import type { ClientEvent } from "../machine/types.ts";

/** Who got and who read what in groups that were opened: pages pulled, then moved on by pushes. */
export class GroupWatermarks {
  readonly #groups = new Map<Uuid, Map<Uuid, MemberWatermarks>>();

  apply(event: ClientEvent): void {
    if (event.type === "receipts") {
      const known = this.#groups.get(event.conversationId);
      const members = new Map<Uuid, MemberWatermarks>();
      for (const member of event.page.members) {
        const before = known?.get(member.user_id);
        members.set(member.user_id, {
          userId: member.user_id,
          // Pages overtake each other, and pushes overtake them: a tick that was shown is not taken back.
          recvSeq: Math.max(member.recv_seq, before?.recvSeq ?? 0),
          readSeq: Math.max(member.read_seq, before?.readSeq ?? 0),
          joinedSeq: member.joined_seq,
          leftSeq: member.left_seq,
        });
      }
      this.#groups.set(event.conversationId, members);
    } else if (event.type === "watermarks") {
      const members = this.#groups.get(event.conversationId);
      const member = members?.get(event.userId);
      if (members === undefined || member === undefined) return;
      const recvSeq = Math.max(member.recvSeq, event.recvSeq);
      const readSeq = Math.max(member.readSeq, event.readSeq);
      members.set(event.userId, { ...member, recvSeq, readSeq });
    }
  }

  /** Undefined while nothing was pulled for the group. */
  members(conversationId: Uuid): readonly MemberWatermarks[] | undefined {
    const members = this.#groups.get(conversationId);
    return members === undefined ? undefined : [...members.values()];
  }

  count(conversationId: Uuid, senderId: Uuid, seq: number): ReceiptCount | undefined {
    const members = this.#groups.get(conversationId);
    return members === undefined ? undefined : countReceipts(members.values(), senderId, seq);
  }

  statusOf(conversationId: Uuid, senderId: Uuid, seq: number): MessageStatus {
    const count = this.count(conversationId, senderId, seq);
    return count === undefined ? "sent" : groupMessageStatus(count);
  }
}
