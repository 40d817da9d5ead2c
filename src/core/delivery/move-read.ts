import type { Uuid } from "../../protocol/ids.ts";
import type { MemberInterval } from "../model.ts";
import { acceptRun } from "../receipts/watermark-rule.ts";
import type { Lane } from "./lane.ts";
import type { PendingSend } from "./pending-send.ts";
import type { Round } from "./round.ts";

/** `unknown`: the sender's read_seq has to be read first. `over_others`: rows of others became read by it. */
export type ReadVerdict = "stays" | "moves" | "moves_over_others" | "unknown";

const wholeLog: readonly Pick<MemberInterval, "joinedSeq" | "leftSeq">[] = [{ joinedSeq: 1, leftSeq: 0 }];

/**
 * Whether the next row of `round` takes its sender's read_seq along. Only if everything before it was viewed: up to the
 * claimed `read` (judged as a READ_RECEIPT is), or the read_seq that is known, and from there on own rows only. Else a
 * message typed while another one came in would mark that one read.
 */
export function moveRead(lane: Lane, round: Round, send: PendingSend): ReadVerdict {
  const { read, readFrom } = send.draft;
  if (read === undefined || readFrom === undefined) return "stays";
  const { userId } = send.caller;
  const before = round.nextSeq - 1;
  const known = round.reads?.get(userId)?.seq ?? lane.readSeqOf(userId);
  if (known !== undefined && viewedTo(lane, round, userId, known) >= before) return "moves";
  if (viewedTo(lane, round, userId, read) < before) return "stays";
  if (known === undefined) return "unknown";
  const intervals = round.view === undefined ? wholeLog : [joinedOf(round, userId)];
  if (acceptRun({ watermark: known, from: readFrom, seq: read, head: lane.end.head, intervals })) {
    return "moves_over_others";
  }
  // What is known is a lower bound: the receipts of other devices do not pass through here.
  return readFrom > known + 1 && read <= lane.end.head && !send.watermarkRead ? "unknown" : "stays";
}

function joinedOf(round: Round, userId: Uuid): Pick<MemberInterval, "joinedSeq" | "leftSeq"> {
  return { joinedSeq: round.view?.members.get(userId)?.joinedSeq ?? 0, leftSeq: 0 };
}

/** Own rows that follow directly on `seq` were viewed by whoever sent them. */
function viewedTo(lane: Lane, round: Round, userId: Uuid, seq: number): number {
  const { head } = lane.end;
  let to = seq;
  for (; to + 1 < round.nextSeq; to++) {
    const next = to + 1;
    const senderId = next > head ? round.rows[next - head - 1]?.senderId : lane.recent.senderAt(next);
    if (senderId !== userId) break;
  }
  return to;
}
