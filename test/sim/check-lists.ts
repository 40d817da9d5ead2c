import { toRegisters } from "../../src/core/lists/registers.ts";
import type { ListRow, LogRow } from "../../src/core/model.ts";
import { unreadByRegisters } from "../../src/protocol/receipt-math.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { counts, dueTo, latestOf, seenBy, type Conversation } from "./truth.ts";
import type { World } from "./world.ts";

/** I1 (lists), I4 and I8 in the stores: every member's row says what the log bears out, and ticks have come through. */
export async function checkLists(world: World, conversations: readonly Conversation[], synced: boolean): Promise<void> {
  for (const conversation of conversations) {
    const receipts = await world.stores.receipts.all(conversation.conversationId);
    for (const userId of conversation.members.keys()) {
      const name = `${world.witness.names.of(userId)} in ${conversation.name}`;
      const row = world.stores.lists.rowOf(userId, conversation.conversationId);
      if (row === undefined) {
        if (dueTo(world, conversation, userId, false).length > 0) world.witness.blame("I1", `${name} has no list row`);
        continue;
      }
      // Rows that nobody was told of are listed by the next sync.
      if (synced) checkRow(world, conversation, userId, row, name);
      const own = receipts.find((receipt) => receipt.userId === userId);
      if (latestOf(conversation, userId)?.leftSeq !== 0) continue;
      const due = dueTo(world, conversation, userId, synced);
      checkReceipts(world, conversation, due, userId, row, own ?? { recvSeq: 0, readSeq: 0 }, name);
      // Nobody else looks at notes to oneself: what a send says to have read there moves no ticks.
      if (row.peerId === undefined || row.peerId === userId) continue;
      // What was seen on a device that was lost in the middle of saying so may be known in one place only.
      if (world.losers.has(row.peerId)) continue;
      const peer = receipts.find((receipt) => receipt.userId === row.peerId);
      checkTicks(world, conversation, userId, row, peer ?? { recvSeq: 0, readSeq: 0 }, name);
    }
  }
}

function checkRow(world: World, conversation: Conversation, userId: Uuid, row: ListRow, name: string): void {
  const { witness } = world;
  const seen = seenBy(conversation, userId);
  const last = seen.at(-1);
  const registers = toRegisters(row);
  if (registers.last_seq !== (last?.seq ?? 0))
    witness.blame("I1", `${name} lists ${registers.last_seq}, sees ${last?.seq}`);
  if (registers.last_ucount !== (last?.ucount ?? 0)) {
    witness.blame("I8", `${name} counts ${registers.last_ucount} up to ${registers.last_seq}, the log ${last?.ucount}`);
  }
  const own = seen.findLast((each) => each.senderId === userId)?.seq ?? 0;
  if (row.ownSeq !== own) witness.blame("I8", `${name} has own_seq ${row.ownSeq}, the log ${own}`);
  const readUcount = conversation.rows[row.readSeq - 1]?.ucount ?? 0;
  if (row.readUcount !== readUcount) {
    witness.blame("I8", `${name} has read_ucount ${row.readUcount} at ${row.readSeq}, the log ${readUcount}`);
  }
  const told = unreadByRegisters(registers)?.count;
  const unread = unreadOf(conversation, userId, row.readSeq);
  if (told !== undefined && told !== unread) witness.blame("I8", `${name} has ${told} unread, the log ${unread}`);
}

export function unreadOf(conversation: Conversation, userId: Uuid, readSeq: number): number {
  return seenBy(conversation, userId).filter((row) => row.seq > readSeq && row.senderId !== userId && counts(row))
    .length;
}

/** What the devices that are left know to have been seen. */
function viewedOn(world: World, { conversationId }: Conversation, userId: Uuid): number {
  const views = world.devices
    .filter((device) => device.userId === userId)
    .map((device) => device.machine?.conversation(conversationId)?.viewed ?? 0);
  return Math.max(0, ...views);
}

/** Own rows have the ticks that the peer's receipts give them. Over rows of the peer they say nothing. */
function checkTicks(
  world: World,
  conversation: Conversation,
  userId: Uuid,
  row: ListRow,
  peer: { readonly recvSeq: number; readonly readSeq: number },
  name: string,
): void {
  const own = conversation.rows.filter((each) => each.senderId === userId).map((each) => each.seq);
  const reached = (watermark: number): number => own.findLast((seq) => seq <= watermark) ?? 0;
  const told = `${reached(row.peerRecvSeq)}/${reached(row.peerReadSeq)}`;
  const given = `${reached(peer.recvSeq)}/${reached(peer.readSeq)}`;
  if (told !== given) world.witness.blame("I4", `${name} has ticks ${told}, the peer's receipts say ${given}`);
}

/** Everybody is online and holds everything by now: so it is confirmed, and what was seen is read. */
function checkReceipts(
  world: World,
  conversation: Conversation,
  due: readonly LogRow[],
  userId: Uuid,
  row: ListRow,
  receipt: { readonly recvSeq: number; readonly readSeq: number },
  name: string,
): void {
  const { witness } = world;
  const from = latestOf(conversation, userId)?.joinedSeq ?? 1;
  const foreign = due.filter((each) => each.senderId !== userId && each.seq >= from);
  const newest = foreign.at(-1)?.seq ?? 0;
  if (row.recvSeq < newest || receipt.recvSeq < newest) {
    witness.blame("I4", `${name} confirmed ${row.recvSeq} (told others: ${receipt.recvSeq}) of ${newest}`);
  }
  const viewed = viewedOn(world, conversation, userId);
  const read = foreign.findLast((each) => each.seq <= viewed)?.seq ?? 0;
  if (row.readSeq < read) witness.blame("I4", `${name} read ${row.readSeq} of ${read}`);
  const shared = foreign.findLast((each) => each.seq <= row.readSeq)?.seq ?? 0;
  if (receipt.readSeq < shared) witness.blame("I4", `${name} read ${shared}, told others ${receipt.readSeq}`);
}
