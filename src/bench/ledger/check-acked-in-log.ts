import type { FaultList } from "./faults.ts";
import { owedSeqOf } from "./owed-seq.ts";
import type { LogRow, Name, SentMessage } from "./types.ts";

/**
 * I1: what was acked is in the log, where the ACK said, and in the list of every member. What was refused for good is not.
 * What stayed undecided may be either, and lists may end below such rows where nothing acked stands above them; how many of
 * them are in the log is the answer.
 */
export interface AckedInLog {
  readonly conversation: Name;
  readonly sent: readonly SentMessage[];
  readonly log: readonly LogRow[];
  /** Highest seq in each member's list row. */
  readonly lists: readonly { readonly member: Name; readonly lastSeq: number }[];
}

export function checkAckedInLog({ conversation, sent, log, lists }: AckedInLog, found: FaultList): number {
  const seqs = new Map(log.map((row) => [row.id, row.seq]));
  let undecidedInLog = 0;
  for (const message of sent) {
    const seq = seqs.get(message.id);
    const name = (): string =>
      `message ${message.id} (sender ${message.sender}, n ${message.n}) in conversation ${conversation}`;
    if (message.outcome === "undecided") undecidedInLog += seq === undefined ? 0 : 1;
    else if (message.outcome === "refused") {
      if (seq !== undefined) found.add("refused_in_log", () => `${name()} was refused, but stands at seq ${seq}`);
    } else if (seq === undefined) found.add("acked_not_in_log", () => `${name()} was acked at seq ${message.seq}`);
    else if (seq !== message.seq) {
      found.add("acked_seq_differs", () => `${name()} was acked at seq ${message.seq}, but stands at ${seq}`);
    }
  }
  const owedSeq = owedSeqOf(log, sent);
  for (const { member, lastSeq } of lists) {
    if (lastSeq < owedSeq) {
      found.add(
        "not_listed",
        () => `list of ${member} ends at seq ${lastSeq} of conversation ${conversation}, what was acked at ${owedSeq}`,
      );
    }
  }
  return undecidedInLog;
}
