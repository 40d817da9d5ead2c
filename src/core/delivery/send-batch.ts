import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { ListWrite, LogRow } from "../model.ts";
import type { AppendOutcome } from "../ports/message-log.ts";
import { directWrites, groupWrites } from "./append-writes.ts";
import { FanOut, readersOf, readReadership } from "./fan-out.ts";
import { handOver, handOverAgain, ownWrites } from "./hand-over.ts";
import { judgeSend, supply } from "./judge-send.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import { isReady, makeReady } from "./make-ready.ts";
import { newMessageFrame } from "./message-row.ts";
import type { PendingSend } from "./pending-send.ts";
import { pushRound } from "./push-round.ts";
import { Round } from "./round.ts";
import { addViews, learnSharing, viewReceipts } from "./viewed-rows.ts";

/** `restart`: something moved while the round was judged; nothing was written. */
type Attempt = "progress" | "restart" | "conflict" | "undecided";

/** Without progress. Of two servers on one conversation one wins each round, so that many in a row mean a sick store. */
const attemptsMax = 16;
const undecidedMax = 3;
/** From the second conflict in a row on, reads are serial: an append of unknown outcome may stand in the way. */
const conflictsUntilSerial = 2;

/**
 * Takes the sends at the front of the lane and sees each of them through: answered, refused, or failed for now. Never
 * rejects. What a send was promised holds at any death: an answer leaves only after rows and list rows, or the jobs that
 * write them, are durable.
 */
export async function sendBatch(context: LaneContext, lane: Lane): Promise<void> {
  let pending = takeSends(lane);
  let attempts = 0;
  let conflicts = 0;
  let undecided = 0;
  while (pending.length > 0) {
    let attempt: Attempt;
    try {
      attempt = await attemptAppend(context, lane, pending);
    } catch (error) {
      failAll(lane, pending, error);
      return;
    }
    if (attempt === "progress") attempts = conflicts = undecided = 0;
    else attempts++;
    if (attempt === "conflict" && ++conflicts >= conflictsUntilSerial) lane.doubted = true;
    if (attempt === "undecided") undecided++;
    if (attempts >= attemptsMax || undecided >= undecidedMax) {
      failAll(lane, pending, new WireError("store_unavailable"));
      return;
    }
    pending = unsettled(pending);
  }
}

function takeSends(lane: Lane): readonly PendingSend[] {
  const sends: PendingSend[] = [];
  while (sends.length < limits.draftsPerAppendMax) {
    const job = lane.queue.peek();
    if (job === undefined || job.job !== "send") break;
    lane.queue.shift();
    sends.push(job);
  }
  return sends;
}

function unsettled(pending: readonly PendingSend[]): readonly PendingSend[] {
  for (const send of pending) if (!send.settled) return pending.filter((each) => !each.settled);
  return [];
}

function failAll(lane: Lane, pending: readonly PendingSend[], error: unknown): void {
  lane.forget();
  for (const send of pending) if (!send.settled) send.fail(error);
}

async function attemptAppend(context: LaneContext, lane: Lane, pending: readonly PendingSend[]): Promise<Attempt> {
  if (!isReady(context, lane, pending) && !(await makeReady(context, lane, pending))) return "restart";
  const view = lane.kind === "group" ? context.directory.group(lane.conversationId) : undefined;
  if (lane.kind === "group" && view?.group.membership !== lane.end.membership) return "restart";
  const round = new Round(lane, view, context.ports.clock);
  const room = lane.room(context.ports.log.bucketRows);
  for (const send of pending) {
    if (round.rows.length === room) break;
    if (send.settled) continue;
    let verdict = judgeSend(context, lane, round, send);
    while (verdict !== "done") {
      const supplied = await supply(context, lane, round, send, verdict);
      if (supplied === "restart") return "restart";
      if (supplied === "done") break;
      verdict = judgeSend(context, lane, round, send);
    }
  }
  if (round.repeats.length > 0) await answerRepeats(context, lane, round);
  if (round.rows.length === 0) return "progress";
  if (round.views !== undefined) await learnSharing(context, lane, round);
  return blocksMayHaveChanged(context, lane, round) ? "restart" : appendRound(context, lane, round);
}

/** The answer to a repeat means what the first one would have: so the list rows come first. */
async function answerRepeats(context: LaneContext, lane: Lane, round: Round): Promise<void> {
  const { log, groups, bus } = context.ports;
  // They are in the log: if the list rows fail now, their sender must come back rather than drop them.
  for (const { send } of round.repeats) send.undecided = true;
  const rows = round.repeats.map(({ row }) => row);
  let readership = await readReadership(groups, lane.conversationId, lane.peers);
  if (round.isLarge && readership.kind === "group") {
    readership = { kind: "group", intervals: await handOverAgain(context, lane, rows, readership.intervals) };
  }
  const fanOut = new FanOut(lane.conversationId, readership);
  for (const row of rows) fanOut.add(row);
  await log.writeLists(fanOut.writes);
  for (const { send, row } of round.repeats) {
    send.succeed(row);
    // Whoever appended it may have died before its push.
    const userIds = readersOf(readership, row);
    bus.deliver({ userIds, frame: newMessageFrame(lane.conversationId, row), except: send.answeredDevice });
  }
}

/** I7: what was decided about a block is at most blockRecheckMs old when the append begins, and still believed then. */
function blocksMayHaveChanged(context: LaneContext, lane: Lane, round: Round): boolean {
  if (lane.kind === "group") return false;
  if (lane.standingsEpoch !== round.standingsEpoch) return true;
  const now = context.ports.clock.monotonicMs();
  const isFresh = now - round.judgedAt <= limits.blockRecheckMs;
  let dropped = false;
  for (const [userId, { readAt }] of lane.standings) {
    const holds = isFresh ? context.belief.holds(readAt, now) : now - readAt <= limits.blockRecheckMs;
    if (!holds) dropped = lane.standings.delete(userId) || dropped;
  }
  return dropped;
}

async function appendRound(context: LaneContext, lane: Lane, round: Round): Promise<Attempt> {
  const { log } = context.ports;
  const { end } = lane;
  const { rows } = round;
  const opens = end.head % log.bucketRows === 0;
  const bucket = Math.floor(end.head / log.bucketRows);
  const { membership } = end;
  // Before anything is written: what nobody would ever be told of is not appended.
  if (round.isLarge) await context.fanOut.ready();
  const lists = listWrites(lane, round);
  const receipts = viewReceipts(lane, round);
  let answer: AppendOutcome;
  try {
    const { conversationId } = lane;
    const request = { conversationId, bucket, expect: end, opens, rows, membership, lists };
    answer = await log.append(receipts === undefined ? request : { ...request, receipts });
  } catch (error) {
    // The port rejects only before anything was written. What it does not know of may have happened after.
    if (!(error instanceof WireError)) doubt(lane, round);
    throw error;
  }
  switch (answer.outcome) {
    case "appended":
      context.known.raise(lists);
      if (round.isLarge) await handOverOrDoubt(context, lane, round);
      settleRound(context, lane, round);
      return "progress";
    case "conflict":
      lane.forget();
      return "conflict";
    case "undecided":
      doubt(lane, round);
      return "undecided";
  }
}

/** Without the job the rows are in the log, and nobody may be told so: their senders have to come again. */
async function handOverOrDoubt(context: LaneContext, lane: Lane, round: Round): Promise<void> {
  try {
    await handOver(context, lane, round);
  } catch (error) {
    doubt(lane, round);
    throw error;
  }
}

function doubt(lane: Lane, round: Round): void {
  lane.forget();
  lane.doubted = true;
  for (const send of round.owners) send.undecided = true;
  for (const { send } of round.doubles) send.undecided = true;
}

function listWrites(lane: Lane, round: Round): ListWrite[] {
  const { conversationId, peers } = lane;
  const { rows, reads, view } = round;
  let writes: ListWrite[];
  if (peers !== undefined) writes = directWrites(conversationId, peers, rows, reads);
  else if (round.isLarge) writes = ownWrites(conversationId, rows, reads);
  else writes = groupWrites(conversationId, view?.userIds ?? [], rows, reads);
  return round.views === undefined ? writes : addViews(lane, round, writes);
}

function settleRound(context: LaneContext, lane: Lane, round: Round): void {
  lane.advance(round.rows, lane.end.membership);
  if (round.isLarge) lane.listedTo = lane.end.head;
  if (round.reads !== undefined) for (const [userId, { seq }] of round.reads) lane.raiseReadSeq(userId, seq);
  for (let index = 0; index < round.rows.length; index++) {
    const row = round.rows[index] as LogRow;
    round.owners[index]?.succeed(row);
  }
  for (const { send, row } of round.doubles) {
    if (send.caller.userId === row.senderId) send.succeed(row);
    else send.refuse("id_conflict");
  }
  pushRound(context, lane, round);
}
