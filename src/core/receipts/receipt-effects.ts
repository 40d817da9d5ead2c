import type { Uuid } from "../../protocol/ids.ts";
import type { Caller } from "../api.ts";
import type { ConversationKind, ListWrite } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { ReceiptWrite } from "../ports/receipts.ts";
import type { Users } from "../ports/users.ts";
import type { GroupStatus, Watermarks } from "./group-status.ts";

/**
 * What follows from a receipt that was accepted, whether it came as a frame of its own or with a send. `shared`: whether
 * others may know of the read watermark; without it they hear of the delivery alone. What is read has arrived: the row
 * was shown, so a device holds it.
 */

/** Read receipts are given only by those who want them, and (direct) only to those who give them. */
export async function isReadShared(users: Users, readerId: Uuid, peerId: Uuid | undefined): Promise<boolean> {
  const [reader, peer] = await Promise.all([
    users.byId(readerId),
    peerId === undefined || peerId === readerId ? undefined : users.byId(peerId),
  ]);
  return reader?.settings.readReceipts !== false && peer?.settings.readReceipts !== false;
}

export function receiptWrite(
  conversationId: Uuid,
  userId: Uuid,
  seq: number,
  at: number,
  shared: boolean,
): ReceiptWrite {
  const write = { conversationId, userId, recv: { seq, at } };
  return shared ? { ...write, read: { seq, at } } : write;
}

/** What changes in the peer's row of a direct chat. */
export function peerCells(seq: number, shared: boolean): Pick<ListWrite, "peerRecvSeq" | "peerReadSeq"> {
  return shared ? { peerRecvSeq: seq, peerReadSeq: seq } : { peerRecvSeq: seq };
}

/**
 * To the own other devices, of what was read. A device has no use for knowing what another one stored; it learns it with
 * the answer to its own receipt.
 */
export function tellOwnDevices(
  bus: Bus,
  conversationId: Uuid,
  caller: Caller,
  own: { readonly recvSeq: number; readonly readSeq: number; readonly readUcount: number },
): void {
  bus.deliver({
    userIds: [caller.userId],
    except: { userId: caller.userId, device: caller.device },
    frame: {
      type: "STATUS_UPDATE",
      conversation_id: conversationId,
      user_id: caller.userId,
      recv_seq: own.recvSeq,
      read_seq: own.readSeq,
      read_ucount: own.readUcount,
    },
  });
}

/** Direct: the peer's devices hear of both watermarks. Groups: see group-status.ts. `after.readSeq`: 0 = not shared. */
export function tellOthers(
  bus: Bus,
  groupStatus: GroupStatus,
  caller: Caller,
  row: { readonly conversationId: Uuid; readonly kind: ConversationKind; readonly peerId?: Uuid | undefined },
  before: Watermarks,
  after: Watermarks,
): void {
  const { conversationId, kind, peerId } = row;
  const { userId, device } = caller;
  if (kind === "group") groupStatus.note(conversationId, userId, before, after);
  else if (peerId !== undefined) {
    bus.deliver({
      userIds: [peerId],
      except: { userId, device },
      frame: {
        type: "STATUS_UPDATE",
        conversation_id: conversationId,
        user_id: userId,
        recv_seq: after.recvSeq,
        read_seq: after.readSeq,
      },
    });
  }
}
