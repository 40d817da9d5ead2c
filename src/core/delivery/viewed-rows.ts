import { peerCells, receiptWrite, isReadShared, tellOthers, tellOwnDevices } from "../receipts/receipt-effects.ts";
import type { ReceiptWrite } from "../ports/receipts.ts";
import type { ListWrite } from "../model.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import { peerOf } from "./peers.ts";
import type { Round } from "./round.ts";

/**
 * Sends whose sender had rows of others in view do what a READ_RECEIPT for those rows would: the receipts and the peer's
 * row are written with the append, and before the sender's own watermark, so that where it stands everyone can see it;
 * then those who look at the ticks are told. A round without such a send does none of this.
 */

/** Reads what each viewer and, in a direct chat, the peer have set about read receipts. */
export async function learnSharing(context: LaneContext, lane: Lane, round: Round): Promise<void> {
  for (const [userId, view] of round.views ?? []) {
    const peerId = lane.peers === undefined ? undefined : peerOf(lane.peers, userId);
    view.shared = await isReadShared(context.ports.users, userId, peerId);
  }
}

export function viewReceipts(lane: Lane, round: Round): ReceiptWrite[] | undefined {
  if (round.views === undefined) return undefined;
  return Array.from(round.views, ([userId, { seq, shared }]) =>
    receiptWrite(lane.conversationId, userId, seq, round.nowMs, shared),
  );
}

/**
 * Adds to the list writes of an append what each viewer's own row and, in a direct chat, the peer's say of it. Both stand
 * at the same seq: the own recv_seq is what others are told, and may not run ahead of what they have stored.
 */
export function addViews(lane: Lane, round: Round, writes: readonly ListWrite[]): ListWrite[] {
  const { conversationId, kind, peers } = lane;
  const result = new Map(writes.map((write) => [write.userId, write]));
  const add = (target: ListWrite): void => {
    result.set(target.userId, { ...result.get(target.userId), ...target });
  };
  for (const [userId, { seq, shared }] of round.views ?? []) {
    add({ userId, conversationId, kind, recvSeq: seq });
    if (peers === undefined) continue;
    add({ userId: peerOf(peers, userId), conversationId, kind, peerId: userId, ...peerCells(seq, shared) });
  }
  return [...result.values()];
}

export function pushViews(context: LaneContext, lane: Lane, round: Round): void {
  const { bus } = context.ports;
  const { conversationId, kind, peers } = lane;
  for (const [userId, { caller, above, seq, shared }] of round.views ?? []) {
    const own = round.reads?.get(userId);
    if (own !== undefined) {
      tellOwnDevices(bus, conversationId, caller, { recvSeq: seq, readSeq: own.seq, readUcount: own.ucount });
    }
    const peerId = peers === undefined ? undefined : peerOf(peers, userId);
    const before = { recvSeq: above, readSeq: above };
    const after = { recvSeq: seq, readSeq: shared ? seq : 0 };
    tellOthers(bus, context.groupStatus, caller, { conversationId, kind, peerId }, before, after);
  }
}
