import { present } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { Turns } from "../../base/turns.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, ReceiptDraft, ReceiptOutcome, ReceiptsApi } from "../api.ts";
import type { KnownRows } from "../lists/known-rows.ts";
import { mergeListRow } from "../lists/merge-list-row.ts";
import { toRegisters } from "../lists/registers.ts";
import type { MemberIntervals } from "../membership/member-intervals.ts";
import { bucketOf, type ListRow, type ListWrite } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { ConversationLists } from "../ports/conversation-lists.ts";
import type { Groups } from "../ports/groups.ts";
import type { MessageLog } from "../ports/message-log.ts";
import type { Receipts } from "../ports/receipts.ts";
import type { Users } from "../ports/users.ts";
import type { GroupStatus } from "./group-status.ts";
import { isReadShared, peerCells, receiptWrite, tellOthers, tellOwnDevices } from "./receipt-effects.ts";
import { createReceiptsPage } from "./receipts-page.ts";
import { acceptRun, type RunClaim } from "./watermark-rule.ts";

export interface ReceiptsDeps {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly receipts: Receipts;
  readonly groups: Groups;
  readonly users: Users;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly intervals: MemberIntervals;
  readonly groupStatus: GroupStatus;
  readonly known: KnownRows;
}

/**
 * Watermarks of a member: judged, written to the receipts partition, to the own list row and (direct chats) to the row of
 * the peer, then told to those who look at the ticks. What this process remembers of the own row may accept a receipt,
 * since watermarks only rise; it never refuses one.
 *
 * The own watermark moves last, so whoever finds it moved (a device by a sync, this code by a read) knows that the
 * others can see it. So a DELIVERED below the own recv_seq writes nothing: with several devices a user that is most of
 * them. A READ_RECEIPT is written again whatever the row says, since the first one may have been kept to oneself (read
 * receipts off, or a send that moved read_seq). Every accepted receipt is pushed again: an earlier attempt may have died
 * before its push. A send that says what was viewed before it does all of this too (delivery/viewed-rows.ts).
 */
export function createReceipts(deps: ReceiptsDeps): ReceiptsApi {
  const turns = new Turns();
  // The devices of a user get a message at one time and say so at one time: the second finds what the first has written.
  const inTurn = (caller: Caller, draft: ReceiptDraft, mark: Mark): Promise<ReceiptOutcome> =>
    turns.run(`${caller.userId}:${draft.conversationId}`, () => move(deps, caller, draft, mark));
  return {
    delivered: (caller, draft) => inTurn(caller, draft, "delivered"),
    read: (caller, draft) => inTurn(caller, draft, "read"),
    page: createReceiptsPage(deps),
  };
}

type Mark = "delivered" | "read";

async function move(deps: ReceiptsDeps, caller: Caller, draft: ReceiptDraft, mark: Mark): Promise<ReceiptOutcome> {
  const { row, accepted } = await judge(deps, caller, draft, mark);
  if (!accepted) return { accepted: false, registers: toRegisters(row) };

  if (mark === "delivered" && row.recvSeq >= draft.seq) {
    tellOthers(deps.bus, deps.groupStatus, caller, row, row, { recvSeq: row.recvSeq, readSeq: 0 });
    return { accepted: true, registers: toRegisters(row) };
  }
  const shared = mark === "read" && (await isReadShared(deps.users, caller.userId, row.peerId));
  const writes = await listWrites(deps.log, caller, row, draft, mark, shared);
  const receipt = receiptWrite(draft.conversationId, caller.userId, draft.seq, deps.clock.nowMs(), shared);
  if (deps.receipts.writeWithLists !== undefined) await deps.receipts.writeWithLists([receipt], writes);
  else {
    await deps.receipts.write([receipt]);
    await deps.lists.write(writes);
  }

  // Notes to oneself: all writes are to this one row.
  const after = writes.reduce((merged, write) => (write.userId === caller.userId ? apply(merged, write) : merged), row);
  deps.known.raise(writes);
  if (mark === "read") tellOwnDevices(deps.bus, draft.conversationId, caller, after);
  const told = { recvSeq: after.recvSeq, readSeq: shared ? draft.seq : 0 };
  tellOthers(deps.bus, deps.groupStatus, caller, row, row, told);
  return { accepted: true, registers: toRegisters(after) };
}

function apply(row: ListRow, write: ListWrite): ListRow {
  return present(mergeListRow(row, write), "a row that existed before the write");
}

interface Judged {
  /** Of the caller, or a lower bound of it. */
  readonly row: ListRow;
  readonly accepted: boolean;
}

/** A conversation that goes on is judged from memory; the first receipt of a user, and any that memory does not allow, reads the own row. */
async function judge(deps: ReceiptsDeps, caller: Caller, draft: ReceiptDraft, mark: Mark): Promise<Judged> {
  const { userId } = caller;
  const { conversationId } = draft;
  const remembered = deps.known.row(userId, conversationId);
  if (remembered !== undefined) {
    const intervals = await deps.intervals.of(conversationId, userId, false);
    if (acceptRun(claimOn(deps, remembered, draft, mark, intervals))) return { row: remembered, accepted: true };
  }
  const row = await deps.lists.one(userId, conversationId);
  if (row === undefined) throw new WireError("no_such_conversation");
  deps.known.learn(userId, row);
  return { row, accepted: await isAccepted(deps, caller, row, draft, mark) };
}

/**
 * What is in the log by the list row, or by what was pushed, settles nearly every receipt without another read. Only a
 * claim beyond both (void rows; a list write that never came) or outside the intervals in memory asks again.
 */
async function isAccepted(
  deps: ReceiptsDeps,
  caller: Caller,
  row: ListRow,
  draft: ReceiptDraft,
  mark: Mark,
): Promise<boolean> {
  const { conversationId } = draft;
  const claim = claimOn(deps, row, draft, mark, await deps.intervals.of(conversationId, caller.userId, false));
  if (acceptRun(claim)) return true;
  const { from, seq, watermark } = claim;
  if (from < 1 || from > seq || from > watermark + 1) return false;
  const [newest, intervals] = await Promise.all([
    deps.log.newestBucket(conversationId, row.lastSeq, "latest"),
    deps.intervals.of(conversationId, caller.userId, true),
  ]);
  if (acceptRun({ ...claim, head: Math.max(claim.head, newest?.head.head ?? 0), intervals })) return true;
  // The row of a join is pushed before the join is settled everywhere: a refusal would be final for the device.
  if (intervals.some((interval) => interval.joinedSeq === 0)) {
    throw new WireError("store_unavailable", { detail: "The membership is being settled." });
  }
  return false;
}

function claimOn(
  deps: ReceiptsDeps,
  row: ListRow,
  { from, seq, conversationId }: ReceiptDraft,
  mark: Mark,
  intervals: RunClaim["intervals"],
): RunClaim {
  const watermark = mark === "read" ? row.readSeq : row.recvSeq;
  return { watermark, from, seq, head: Math.max(row.lastSeq, deps.known.head(conversationId)), intervals };
}

async function listWrites(
  log: MessageLog,
  caller: Caller,
  row: ListRow,
  draft: ReceiptDraft,
  mark: Mark,
  readShared: boolean,
): Promise<readonly ListWrite[]> {
  const { conversationId, kind, peerId } = row;
  const { seq } = draft;
  const recv: ListWrite = { userId: caller.userId, conversationId, kind, recvSeq: seq };
  const own = mark === "read" ? { ...recv, read: { seq, ucount: await ucountAt(log, row, seq) } } : recv;
  if (kind === "group" || peerId === undefined) return [own];
  return [{ userId: peerId, conversationId, kind, peerId: caller.userId, ...peerCells(seq, readShared) }, own];
}

/** Countable rows up to `seq`, from the list row where it knows; one row read otherwise. */
async function ucountAt(log: MessageLog, row: ListRow, seq: number): Promise<number> {
  if (seq === row.lastSeq) return row.lastUcount;
  if (seq === row.readSeq) return row.readUcount;
  const page = await log.readBucket(row.conversationId, bucketOf(seq, log.bucketRows), seq, seq, 1, "latest");
  // A row past its retention says nothing any more: keep the count, and the next receipt mends it.
  return page.rows[0]?.ucount ?? row.readUcount;
}
