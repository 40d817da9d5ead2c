import type { FaultList } from "./faults.ts";
import type { LogRow, Name, SentMessage } from "./types.ts";

/** I3: seq gapless from `firstSeq`; the messages of one sender in the order of their numbers; acked before sent ⇒ lower seq. */
export interface Order {
  readonly conversation: Name;
  /** In any order. */
  readonly log: readonly LogRow[];
  readonly sent: readonly SentMessage[];
  /** The seq at which the scan began; 1 for a whole log. */
  readonly firstSeq?: number;
}

export function checkOrder({ conversation, log, sent, firstSeq = 1 }: Order, found: FaultList): void {
  const rows = log.toSorted((one, other) => one.seq - other.seq);
  checkGaps(conversation, rows, firstSeq, found);
  checkSenders(conversation, rows, found);
  checkCauses(conversation, rows, sent, found);
}

function checkGaps(conversation: Name, rows: readonly LogRow[], firstSeq: number, found: FaultList): void {
  let expected = firstSeq;
  for (const { seq } of rows) {
    if (seq > expected) {
      const from = expected;
      found.add("gap_in_seq", () => `conversation ${conversation} has no seq ${from}…${seq - 1}`, seq - expected);
    }
    expected = Math.max(expected, seq + 1);
  }
}

function checkSenders(conversation: Name, rows: readonly LogRow[], found: FaultList): void {
  const last = new Map<Name, LogRow>();
  const seen = new Map<string, Name>();
  for (const row of rows) {
    if (row.n === 0) continue;
    const before = last.get(row.sender);
    const name = `${row.sender} ${row.n}`;
    const known = seen.get(name);
    if (known !== undefined) {
      // The same id again is counted by I2; the same number under another id is a message sent twice.
      if (known !== row.id) {
        found.add(
          "duplicated",
          () => `n ${row.n} of sender ${row.sender} again at seq ${row.seq} of conversation ${conversation}`,
        );
      }
    } else if (before !== undefined && row.n < before.n) {
      found.add(
        "reordered",
        () =>
          `n ${row.n} of sender ${row.sender} at seq ${row.seq} follows n ${before.n} at seq ${before.seq} in conversation ${conversation}`,
      );
    }
    seen.set(name, known ?? row.id);
    if (before === undefined || row.n > before.n) last.set(row.sender, row);
  }
}

function checkCauses(
  conversation: Name,
  rows: readonly LogRow[],
  sent: readonly SentMessage[],
  found: FaultList,
): void {
  const byId = new Map(sent.map((message) => [message.id, message]));
  let earliest: SentMessage | undefined;
  let earliestSeq = 0;
  // From the end: the earliest ACK among all later rows must not lie before this row's sending.
  for (const row of rows.toReversed()) {
    const message = byId.get(row.id);
    if (message === undefined) continue;
    if (earliest !== undefined && earliest.ackedAt < message.sentAt) {
      const [cause, causeSeq] = [earliest, earliestSeq];
      found.add(
        "causal_order",
        () =>
          `message ${row.id} at seq ${row.seq} of conversation ${conversation} was sent after ${cause.id} at seq ${causeSeq} was acked`,
      );
    }
    if (earliest === undefined || message.ackedAt < earliest.ackedAt) {
      earliest = message;
      earliestSeq = row.seq;
    }
  }
}
