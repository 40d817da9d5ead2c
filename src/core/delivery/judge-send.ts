import { assert, present } from "../../base/assert.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { LogRow, Visibility } from "../model.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import { moveRead } from "./move-read.ts";
import { isPeer, peerOf } from "./peers.ts";
import type { PendingSend } from "./pending-send.ts";
import { proveAbsent } from "./prove-absent.ts";
import type { RecentRow } from "./recent-rows.ts";
import type { Round } from "./round.ts";
import { believedStanding, readStanding } from "./standings.ts";

/**
 * `done`: the send is settled, or stands in the round and is settled with it. The others name what has to be read
 * before the send can be judged.
 */
export type Verdict = "done" | "proof" | "standing" | "watermark" | "view" | "media";

/**
 * Judges one send against what the lane knows, without waiting: its turn, then whether it is in the log already, then
 * whether its sender may write. The order matters: a message that is in the log is answered with its seq whatever happened
 * since, blocked or removed.
 */
export function judgeSend(context: LaneContext, lane: Lane, round: Round, send: PendingSend): Verdict {
  const { draft } = send;
  const { head } = lane.end;
  if (isInRound(round, send)) return "done";
  if (send.gate.refuses(lane.conversationId, draft.messageId, send.ticket)) {
    send.fail(new WireError("out_of_order"));
    return "done";
  }
  if (draft.since > head) {
    assert(send.ticket < lane.serialTicket, "a cursor is judged by a serial read that began after it came");
    send.refuse("cursor_ahead");
    return "done";
  }
  if (send.provenTo < head) {
    if (!lane.recent.covers(send.provenTo + 1, head)) {
      if (head - send.provenTo <= limits.dedupeRowsMax) return "proof";
      send.refuse("stale_since");
      return "done";
    }
    const earlier = lane.recent.find(send.provenTo + 1, draft.messageId);
    if (earlier !== undefined) return judgeRecent(send, earlier);
    send.provenTo = head;
  }
  // Proven absent up to a head that was read after the append whose outcome was open: it did not happen.
  send.undecided = false;
  return lane.kind === "direct" ? judgeDirect(context, lane, round, send) : judgeGroup(lane, round, send);
}

/**
 * An earlier attempt of the same message is answered with this round, and this one with it. Before its turn is looked at: what failed
 * after the earlier attempt must not refuse the later one, since its sender takes that for the answer.
 */
function isInRound(round: Round, send: PendingSend): boolean {
  const { messageId } = send.draft;
  const row = round.find(messageId);
  if (row !== undefined) {
    round.doubles.push({ send, row });
  } else {
    const repeat = round.repeats.find((each) => each.row.messageId === messageId);
    if (repeat?.row.senderId !== send.caller.userId) return false;
    round.repeats.push({ send, row: repeat.row });
  }
  send.taken();
  return true;
}

function judgeRecent(send: PendingSend, earlier: RecentRow): Verdict {
  if (earlier.senderId !== send.caller.userId) {
    send.refuse("id_conflict");
    return "done";
  }
  // Its list rows may be missing: read the row, so that they can be written.
  if (!earlier.listed) return "proof";
  send.taken();
  send.succeed(earlier);
  return "done";
}

function judgeDirect(context: LaneContext, lane: Lane, round: Round, send: PendingSend): Verdict {
  const { userId } = send.caller;
  const peers = present(lane.peers, "peers of a direct chat");
  if (!isPeer(peers, userId)) {
    send.refuse("no_such_conversation");
    return "done";
  }
  if (peerOf(peers, userId) === userId) return take(lane, round, send, 0);
  const standing = believedStanding(context, lane, userId, round.judgedAt);
  if (standing === undefined) return "standing";
  return take(lane, round, send, standing.blocked ? 1 : 0);
}

function judgeGroup(lane: Lane, round: Round, send: PendingSend): Verdict {
  const view = present(round.view, "view of a group");
  if (view.members.has(send.caller.userId)) return take(lane, round, send, 0);
  // An old view must not turn away a newcomer.
  if (send.ticket >= view.ticket) return "view";
  send.refuse("not_a_member");
  return "done";
}

function take(lane: Lane, round: Round, send: PendingSend, visibility: Visibility): Verdict {
  const read = moveRead(lane, round, send);
  if (read === "unknown") return "watermark";
  // Last, so that nobody who may not write here keeps media from being collected.
  if (send.draft.mediaId !== undefined && !send.mediaAttached) return "media";
  const row = round.add(send, visibility);
  if (read !== "stays") {
    round.reads ??= new Map();
    round.reads.set(row.senderId, { seq: row.seq, ucount: row.ucount });
    if (read === "moves_over_others") {
      const { userId } = send.caller;
      const above = present(lane.readSeqOf(userId), "the read_seq that the claim was judged by");
      (round.views ??= new Map()).set(userId, { caller: send.caller, above, seq: lane.end.head, shared: false });
    }
  }
  send.taken();
  return "done";
}

/** `judge`: judge it again. `done`: it is judged. `restart`: the round has to begin again. */
export type Supplied = "judge" | "done" | "restart";

/** Reads what `missing` names. */
export async function supply(
  context: LaneContext,
  lane: Lane,
  round: Round,
  send: PendingSend,
  missing: Exclude<Verdict, "done">,
): Promise<Supplied> {
  switch (missing) {
    case "proof":
      return supplyProof(context, lane, round, send);
    case "standing":
      await supplyStanding(context, lane, send);
      return send.settled ? "done" : "judge";
    case "watermark": {
      const row = await context.ports.lists.one(send.caller.userId, lane.conversationId);
      lane.raiseReadSeq(send.caller.userId, row?.readSeq ?? 0);
      send.watermarkRead = true;
      return "judge";
    }
    case "view":
      context.directory.forgetGroup(lane.conversationId);
      return "restart";
    case "media":
      return supplyMedia(context, send);
  }
}

/** Before the append: a message that is in the log never refers to media that was collected. */
async function supplyMedia(context: LaneContext, send: PendingSend): Promise<Supplied> {
  const { media, clock } = context.ports;
  const mediaId = present(send.draft.mediaId, "the media of a send that refers to one");
  send.mediaAttached = await media.attach(mediaId, clock.nowMs());
  if (send.mediaAttached) return "judge";
  send.refuse("no_such_media");
  return "done";
}

async function supplyProof(context: LaneContext, lane: Lane, round: Round, send: PendingSend): Promise<Supplied> {
  const proof = await proveAbsent(context, lane, send);
  if (proof === "absent") return "judge";
  if (proof === "torn") {
    lane.forget();
    return "restart";
  }
  const row: LogRow = proof.found;
  if (row.senderId !== send.caller.userId) {
    send.refuse("id_conflict");
    return "done";
  }
  send.taken();
  round.repeats.push({ send, row });
  return "done";
}

async function supplyStanding(context: LaneContext, lane: Lane, send: PendingSend): Promise<void> {
  const { userId } = send.caller;
  const peers = present(lane.peers, "peers of a direct chat");
  if (!lane.standings.has(userId) && (await context.ports.users.byId(peerOf(peers, userId))) === undefined) {
    send.refuse("no_such_user");
    return;
  }
  await readStanding(context, lane, peers, userId);
}
